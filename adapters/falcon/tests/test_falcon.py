"""req.context.session in Falcon, WSGI and ASGI: what the contract suite has not."""

from __future__ import annotations

import asyncio

import falcon
import falcon.asgi
import pytest
from falcon import testing
from werkzeug.test import Client

from sessionkit import (
    CookieSettings,
    NoActiveRequestError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit_falcon import SessionMiddleware, require_session_api, require_session_page

from .routes import ANN, SECRET, AsyncRoute, Route


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET)


@pytest.fixture
def app(store: SessionStore) -> falcon.App:
    app = falcon.App(middleware=[SessionMiddleware(store)])
    app.add_route("/login", Route(lambda req, resp: dict(create_session(ANN))))
    app.add_route("/all", Route(lambda req, resp: dict(req.context.session)))
    return app


@pytest.fixture
def client(app, store) -> Client:
    return Client(store.wsgi(app))


def names(answer) -> list[str]:
    return sorted(line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie"))


# ---- middleware and errors


class Counting:
    def process_request(self, req, resp):
        req.context.session["in"] = req.context.session.get("in", 0) + 1

    def process_response(self, req, resp, resource, req_succeeded):
        req.context.session["out"] = req.context.session.get("out", 0) + 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/all", 405), ("OPTIONS", "/all", 200)],
)
def test_what_other_middleware_writes_is_saved_in_every_kind_of_answer(
    app, client, method, path, status
):
    app.add_middleware(Counting())
    assert client.open(path, method=method).status_code == status
    assert client.get("/all").json == {"in": 2, "out": 1}


def test_middleware_that_answers_by_itself_is_saved(app, client):
    class Early:
        def process_request(self, req, resp):
            req.context.session["early"] = True
            resp.complete = True

    app.add_middleware(Early())
    assert names(client.get("/all")) == ["__Host-session"]


def test_middleware_that_fails_afterwards_saves_nothing(app, client):
    class Failing:
        def process_response(self, req, resp, resource, req_succeeded):
            if req.path == "/write":
                raise ZeroDivisionError

    app.add_middleware(Failing())
    app.add_route("/write", Route(lambda req, resp: req.context.session.update(a=1)))
    assert client.get("/write").status_code == 500
    assert client.get("/all").json == {}


def test_media_that_does_not_serialise_saves_nothing_but_a_logout(app, client):
    app.add_route("/write", Route(lambda req, resp: [req.context.session.update(a=1), object()]))
    app.add_route("/logout", Route(lambda req, resp: [delete_session(), object()]))
    client.get("/login")
    assert client.get("/write").status_code == 500
    assert client.get("/all").json == ANN
    assert client.get("/logout").status_code == 500
    assert client.get("/all").json == {}


def test_an_http_error_keeps_its_headers_beside_ours(app, client):
    def limited(req, resp):
        req.context.session["a"] = 1
        resp.set_cookie("other", "1")
        raise falcon.HTTPTooManyRequests(headers={"X-Own": "yes"}, retry_after=30)

    app.add_route("/limited", Route(limited))
    answer = client.get("/limited")
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-Own"]) == (
        429,
        "30",
        "yes",
    )
    assert names(answer) == ["__Host-session", "other"]


def test_an_application_without_a_gateway_says_so(app):
    seen = []
    app.add_error_handler(Exception, lambda req, resp, error, params: seen.append(str(error)))
    Client(app).get("/all")
    assert [one.partition(":")[0] for one in seen] == ["nobody would write the session's cookies"]


def test_a_gateway_of_another_store_is_told_which_one_is_wanted(app):
    seen = []
    app.add_error_handler(Exception, lambda req, resp, error, params: seen.append(str(error)))
    other = SessionStore(SECRET, cookie=CookieSettings(name="__Host-other"))
    Client(other.wsgi(app)).get("/all")
    assert [one.partition(", with ")[2] for one in seen] == [
        "the store that you gave to SessionMiddleware"
    ]


def test_a_path_that_the_gateway_excludes_has_no_session(app, store):
    app.add_route("/health", Route(lambda req, resp: {"session": req.context.session}))
    assert Client(store.wsgi(app, exclude="/health")).get("/health").json == {"session": None}


def test_a_responder_that_does_not_use_it_does_not_look_at_it(app, client):
    app.add_route("/plain", Route(lambda req, resp: "plain"))
    client.get("/login")
    answer = client.get("/plain")
    assert ("Vary" in answer.headers, names(answer)) == (False, [])


def test_its_repr_shows_no_value(app, client):
    app.add_route("/repr", Route(lambda req, resp: repr(req.context.session)))
    client.get("/login")
    assert client.get("/repr").json == "<LazyContents keys=['user']>"


def test_falcons_own_client_walks_through_the_gateway(app, store):
    answer = testing.TestClient(store.wsgi(app)).simulate_get("/login")
    assert answer.json == ANN
    assert "__Host-session" in answer.cookies


# ---- ASGI


def test_what_a_response_schedules_has_the_session_object_and_no_current_request(store):
    noted = asyncio.Queue()

    def start(req, resp):
        session = req.context.session

        async def later():
            try:
                found = get_session()
            except NoActiveRequestError as error:
                found = type(error).__name__
            await noted.put((found, dict(session)))

        create_session(ANN)
        resp.schedule(later)

    async def run():
        app = falcon.asgi.App(middleware=[SessionMiddleware(store)])
        app.add_route("/", AsyncRoute(start))
        async with testing.ASGIConductor(store.asgi(app)) as conductor:
            await conductor.simulate_get("/")
            return await asyncio.wait_for(noted.get(), 10)

    assert asyncio.run(run()) == ("NoActiveRequestError", ANN)


def test_server_sent_events_read_the_session_and_write_too_late(store):
    def events(req, resp):
        create_session(ANN)

        async def emit():
            yield falcon.asgi.SSEvent(text=get_session()["user"]["sub"])
            try:
                update_session({**ANN, "n": 1})
            except RuntimeError as error:
                yield falcon.asgi.SSEvent(text=type(error).__name__)

        resp.sse = emit()

    async def run():
        app = falcon.asgi.App(middleware=[SessionMiddleware(store)])
        app.add_route("/", AsyncRoute(events))
        async with testing.ASGIConductor(store.asgi(app)) as conductor:
            return await conductor.simulate_get("/")

    answer = asyncio.run(run())
    assert [line for line in answer.text.splitlines() if line] == [
        "data: ann",
        "data: ResponseStartedError",
    ]
    assert "__Host-session" in answer.cookies


def test_cookies_of_ones_own_go_out_with_ours_when_a_socket_is_accepted(store):
    class Socket:
        async def on_websocket(self, req, ws):
            req.context.session["a"] = 1
            await ws.accept(headers=[("X-Own", "yes")])

    async def run():
        app = falcon.asgi.App(middleware=[SessionMiddleware(store)])
        app.add_route("/", Socket())
        async with (
            testing.ASGIConductor(store.asgi(app)) as conductor,
            conductor.simulate_ws("/") as ws,
        ):
            return ws.headers

    assert sorted({name for name, _ in asyncio.run(run())}) == [
        b"cache-control",
        b"set-cookie",
        b"vary",
        b"x-own",
    ]


# ---- the form with a response, where no gateway serves


@pytest.mark.parametrize("with_asgi", [False, True])
def test_without_a_gateway_the_verbs_write_into_falcons_response(store, with_asgi):
    def login(req, resp):
        resp.set_cookie("other", "1")
        resp.append_header("Set-Cookie", "raw=1")
        resp.append_header("Vary", "Accept")
        store.create_session(req, resp, {**ANN, "big": "x" * 5000})
        store.update_session(req, resp, ANN)
        resp.media = store.get_session(req)

    app = falcon.asgi.App() if with_asgi else falcon.App()
    app.add_route("/", (AsyncRoute if with_asgi else Route)(login))
    answer = testing.TestClient(app).simulate_get("/")
    assert answer.json == ANN
    assert set(answer.cookies) - {"Priority"} == {
        "__Host-session",
        "other",
        "raw",
    }  # SimpleCookie knows no Priority
    assert answer.headers["vary"] == "Accept, Cookie"


# ---- guards


def guarded(hook, with_asgi):
    base = AsyncRoute if with_asgi else Route
    return falcon.before(hook)(
        type("Guarded", (base,), {"on_get": base.on_get, "on_post": base.on_get})
    )(lambda req, resp, **params: params)


@pytest.mark.parametrize("with_asgi", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/page/1?a=1", 302, "/signin?from=page&returnTo=/page/1%3Fa%3D1"),
        ("POST", "/page/1", 303, "/signin?from=page&returnTo=/home"),
        ("GET", "/signout", 302, "/signin?from=page&returnTo=/home"),
        ("GET", "/api", 401, None),
    ],
)
def test_a_visitor_is_refused(store, with_asgi, method, path, status, location):
    app = (falcon.asgi.App if with_asgi else falcon.App)(middleware=[SessionMiddleware(store)])
    hook = require_session_page(
        login_url="/signin?from=page", logout_url="/signout", default="/home"
    )
    app.add_route("/page/{number}", guarded(hook, with_asgi))
    app.add_route("/signout", guarded(hook, with_asgi))
    app.add_route("/api", guarded(require_session_api, with_asgi))
    answer = testing.TestClient(store.asgi(app) if with_asgi else store.wsgi(app)).simulate_request(
        method, path.partition("?")[0], query_string=path.partition("?")[2]
    )
    assert (answer.status_code, answer.headers.get("location")) == (status, location)


@pytest.mark.parametrize("with_asgi", [False, True])
def test_a_signed_in_user_passes_with_the_parameters_of_the_route(store, with_asgi):
    app = (falcon.asgi.App if with_asgi else falcon.App)(middleware=[SessionMiddleware(store)])
    app.add_route("/page/{number}", guarded(require_session_page, with_asgi))
    with store.exchange() as exchange:
        exchange.create(ANN)
    cookie = exchange.response_headers[0][1].partition(";")[0]
    answer = testing.TestClient(store.asgi(app) if with_asgi else store.wsgi(app)).simulate_get(
        "/page/7", headers={"Cookie": cookie}
    )
    assert answer.json == {"number": "7"}
