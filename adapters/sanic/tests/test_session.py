"""The session of Sanic's requests where the contract suite does not reach: connections, websockets, streams, its own habits."""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest
from sanic import HTTPResponse, Request, Sanic, response
from sanic.views import HTTPMethodView
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from sessionkit import (
    CookieSettings,
    Event,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    bind,
)
from sessionkit_sanic import (
    SessionKit,
    create_session,
    delete_session,
    get_session,
    require_session_api,
    require_session_page,
    update_session,
)

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")

SECRET = "sanic tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
EVENTS: list[Event] = []
STORE = SessionStore(SECRET, on_event=EVENTS.append)
number = itertools.count()


def application(store: SessionStore | None = STORE, **options: Any) -> Sanic:
    app = Sanic(f"test-{next(number)}")
    app.config.TOUCHUP = False  # which Sanic can do once a process
    app.config.ACCESS_LOG = False
    if store is not None:
        SessionKit(app, store=store, **options)

    @app.get("/login")
    async def login(request: Request) -> HTTPResponse:
        create_session(request, ANN)
        return response.empty()

    @app.get("/me")
    async def me(request: Request) -> HTTPResponse:
        return response.json(get_session(request))

    return app


class Client:
    """A browser: it keeps its cookies and its connection."""

    def __init__(self, address: Any) -> None:
        self.port = address[1]
        self.connection = HTTPConnection(*address, timeout=10)
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, path: str, method: str = "GET", **headers: str) -> Any:
        self.connection.request(method, path, headers={"Cookie": self.cookie, **headers})
        answer = self.connection.getresponse()
        answer.text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie", [])]


def browse(app: Sanic, walk: Callable[[Client], Any]) -> Any:
    """Run a walk of a browser through an application that is really served."""

    def run(address: Any) -> Any:
        client = Client(address)
        try:
            return walk(client)
        finally:
            client.connection.close()

    async def serve() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = await app.create_server(sock=listening, return_asyncio_server=True)
            await server.startup()
            await server.start_serving()
            try:
                return await asyncio.to_thread(run, listening.getsockname())
            finally:
                server.close()
                await server.wait_closed()

    return asyncio.run(serve())


# ---- one task serves a connection


def test_a_request_on_a_connection_that_served_another_has_a_session_of_its_own():
    app = application(exclude="/static/*")
    found = []

    @app.get("/static/a.css")
    async def static(request):
        found.append(hasattr(request.ctx, "session"))
        return response.json(get_session())

    @app.get("/implicit")
    async def implicit(request):
        return response.json(get_session())

    def walk(client):
        client.get("/login")
        signed_in = json.loads(client.get("/implicit").text)
        excluded = client.get("/static/a.css")
        client.cookies.clear()
        return (
            signed_in,
            json.loads(excluded.text),
            "Vary" in excluded.headers,
            json.loads(client.get("/implicit").text),
        )

    assert browse(app, walk) == (ANN, None, False, None)
    assert found == [False]


def test_a_task_that_outlives_the_request_has_no_session():
    app = application()
    found, over = [], []

    async def later(event):
        await event.wait()
        try:
            get_session()
        except NoActiveRequestError as error:
            found.append(str(error))

    @app.get("/")
    async def index(request):
        over.append(asyncio.Event())
        over.append(asyncio.ensure_future(later(over[0])))
        return response.text("begun")

    @app.get("/over")
    async def end(request):
        over[0].set()
        await over[1]
        return response.text("over")

    browse(app, lambda client: [client.get("/").text, client.get("/over").text])
    assert "has finished" in found[0]


def test_an_executor_needs_bind():
    app = application()

    @app.get("/")
    async def index(request):
        loop = asyncio.get_running_loop()
        with pytest.raises(NoActiveRequestError):
            await loop.run_in_executor(None, get_session)
        return response.json(await loop.run_in_executor(None, bind(lambda: dict(get_session()))))

    assert (
        browse(app, lambda client: [client.get("/login"), json.loads(client.get("/").text)][1])
        == ANN
    )


# ---- responses


def test_a_cookie_of_the_application_goes_out_beside_ours():
    app = application()

    @app.get("/")
    async def index(request):
        create_session(ANN)
        answer = response.text("hello", headers={"Vary": "Accept"})
        answer.add_cookie("theirs", "1")
        return answer

    def walk(client):
        answer = client.get("/")
        return sorted(names(answer)), answer.headers.get_all("Vary")

    assert browse(app, walk) == (["__Host-session", "theirs"], ["Accept, Cookie"])


def test_a_response_middleware_may_write_the_session_and_replace_the_response():
    app = application()

    @app.on_response
    async def replace(request, answer):
        if request.path == "/":
            update_session(request, {**ANN, "seen": True})
            return response.text("replaced")
        return None

    @app.get("/")
    async def index(request):
        return response.text("hello")

    def walk(client):
        client.get("/login")
        return client.get("/").text, json.loads(client.get("/me").text)

    assert browse(app, walk) == ("replaced", {**ANN, "seen": True})


def test_a_response_middleware_that_fails_does_not_cost_the_session():
    app = application()

    @app.on_response
    async def fails(request, answer):
        raise RuntimeError

    assert browse(app, lambda client: names(client.get("/login"))) == ["__Host-session"]


def test_what_cannot_be_saved_is_for_the_applications_error_handler():
    app = application()

    @app.exception(ValueError)
    async def on_error(request, error):
        return response.text(type(error).__name__, 500)

    @app.get("/")
    async def index(request):
        request.ctx.session["big"] = "x" * 8000
        return response.text("saved")

    def walk(client):
        answer = client.get("/")
        return answer.status, answer.text, names(answer)

    assert browse(app, walk) == (500, "SessionTooLargeError", [])


def test_a_stream_whose_session_cannot_be_saved_becomes_a_500():
    app = application()

    @app.get("/")
    async def index(request):
        request.ctx.session["big"] = "x" * 8000
        sending = await request.respond()
        await sending.send("sent")
        await sending.eof()

    def walk(client):
        answer = client.get("/")
        return answer.status, names(answer)

    assert browse(app, walk) == (500, [])


def test_a_stream_may_send_what_is_no_bytes():
    app = application()

    @app.get("/")
    async def index(request):
        sending = await request.respond(headers={"content-length": "10"})
        await sending.send(b"01234")
        await sending.send(memoryview(b"56789"))
        await sending.eof()

    assert browse(app, lambda client: client.get("/").text) == "0123456789"


def test_a_handler_that_responds_and_fails_before_it_sends_is_answered_with_a_500_that_keeps_a_logout():
    app = application()

    @app.get("/logout")
    async def logout(request):
        delete_session(request)
        await request.respond()
        raise RuntimeError

    def walk(client):
        client.get("/login")
        return client.get("/logout").status, list(client.cookies)

    assert browse(app, walk) == (500, ["__Host-out.session"])


def test_an_empty_file_stream_carries_each_cookie_once(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    app = application()

    @app.get("/")
    async def index(request):
        create_session(ANN)
        return await response.file_stream(tmp_path / "empty")

    assert browse(app, lambda client: names(client.get("/"))) == ["__Host-session"]


def test_without_session_kit_request_and_response_are_complete_in_themselves():
    app = application(None)

    @app.get("/")
    async def index(request):
        answer = response.text("hello")
        answer.add_cookie("theirs", "1")
        STORE.create_session(request, answer, ANN)
        STORE.update_session(request, answer, {**ANN, "n": 1})
        return answer

    assert browse(app, lambda client: sorted(names(client.get("/")))) == [
        "__Host-session",
        "theirs",
    ]


# ---- several in one application


@pytest.mark.parametrize("path", ["/both", "/stream"])
def test_two_stores_each_answer_for_themselves(path):
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))
    app = application()
    SessionKit(app, store=admin)

    def create(request):
        STORE.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})

    @app.get("/both")
    async def both(request):
        create(request)
        return response.empty()

    @app.get("/stream")
    async def stream(request):
        create(request)
        sending = await request.respond()
        await sending.send("sent")
        await sending.eof()

    @app.get("/who")
    async def who(request):
        return response.json(
            [STORE.get_session()["user"]["sub"], admin.get_session()["user"]["sub"]]
        )

    def walk(client):
        return sorted(names(client.get(path))), json.loads(client.get("/who").text)

    assert browse(app, walk) == (["__Host-admin", "__Host-session"], ["ann", "root"])


def test_a_second_session_kit_of_the_same_store_doubles_nothing():
    app = application()
    SessionKit(app, store=STORE)
    assert browse(app, lambda client: names(client.get("/login"))) == ["__Host-session"]


# ---- websockets


def sockets(app: Sanic) -> Sanic:
    @app.websocket("/ws")
    async def ws(request, socket):
        async def worker():
            with pytest.raises(NoActiveRequestError, match="this task is not the one"):
                get_session()
            return get_session(request)

        with pytest.raises(ResponseStartedError):
            request.ctx.session["late"] = True
        with pytest.raises(ResponseStartedError):
            delete_session()
        await socket.send(json.dumps([get_session(), await asyncio.ensure_future(worker())]))

    return app


def opened(client: Client, path: str = "/ws") -> tuple[Any, list[str]]:
    """What a websocket says first, and the cookies that its handshake sets."""
    with connect(
        f"ws://127.0.0.1:{client.port}{path}",
        additional_headers={"Cookie": client.cookie},
        proxy=None,
    ) as socket:
        lines = socket.response.headers.get_all("Set-Cookie")
        client.cookies.update(line.partition(";")[0].partition("=")[::2] for line in lines)
        return json.loads(socket.recv(timeout=10)), sorted(line.partition("=")[0] for line in lines)


def test_the_handler_of_a_websocket_reads_the_session_and_cannot_write_it():
    def walk(client):
        client.get("/login")
        return opened(client)

    assert browse(sockets(application()), walk) == ([ANN, ANN], [])


def test_what_a_middleware_writes_goes_out_with_the_handshake_of_a_websocket():
    app = sockets(application())

    @app.on_request
    async def visit(request):
        if request.path == "/ws":
            update_session(request, {**ANN, "visited": True})

    def walk(client):
        client.get("/login")
        return opened(client), json.loads(client.get("/me").text)

    seen = {**ANN, "visited": True}
    assert browse(app, walk) == (([seen, seen], ["__Host-session"]), seen)


def test_two_stores_are_saved_with_the_handshake_of_a_websocket():
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))
    app = sockets(application())
    SessionKit(app, store=admin)

    @app.on_request
    async def sign_in(request):
        STORE.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})

    @app.websocket("/who")
    async def who(request, socket):
        await socket.send(
            json.dumps([STORE.get_session()["user"]["sub"], admin.get_session()["user"]["sub"]])
        )

    assert browse(app, lambda client: opened(client, "/who")) == (
        ["ann", "root"],
        ["__Host-admin", "__Host-session"],
    )


def test_a_websocket_whose_session_cannot_be_saved_is_not_accepted():
    app = sockets(application())

    @app.on_request
    async def fill(request):
        request.ctx.session["big"] = "x" * 8000

    def walk(client):
        with pytest.raises(InvalidStatus) as refused:
            opened(client)
        return refused.value.response.status_code, refused.value.response.headers.get_all(
            "Set-Cookie"
        )

    assert browse(app, walk) == (500, [])


def test_a_guarded_websocket_is_closed_unless_somebody_is_signed_in():
    app = application()

    @app.websocket("/ws")
    @require_session_api
    async def ws(request, socket):
        await socket.send(json.dumps(get_session()))

    def walk(client):
        with pytest.raises(ConnectionClosedError) as closed:
            opened(client)
        client.get("/login")
        return closed.value.rcvd.code, opened(client)[0]

    assert browse(app, walk) == (1008, ANN)


def test_a_guard_closes_nothing_but_a_websocket():
    closed = []

    class Database:
        def close(self, code):
            closed.append(code)

    app = application()

    @app.get("/")
    async def index(request):
        return await guarded(request, Database())

    @require_session_api
    async def guarded(request, database):
        return response.text("ok")

    assert browse(app, lambda client: client.get("/").status) == 401
    assert closed == []


# ---- ASGI, workers, the raw header


def ask_asgi(app: Sanic, *scopes: dict[str, Any]) -> list[Any]:
    """The messages that are sent for each of the scopes; a scope without a cookie is given the latest that was set."""
    answers: list[Any] = []

    async def run() -> None:
        events = iter(["startup", "shutdown"])

        async def lifespan():
            return {"type": f"lifespan.{next(events)}"}

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            answers[-1].append(message)

        answers.append([])
        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, lifespan, send)
        cookie = b""
        for scope in scopes:
            answers.append([])
            path = scope["path"]
            headers = [(b"host", b"localhost"), (b"cookie", b"a=1"), (b"cookie", cookie)]
            await app(
                {"http_version": "1.1", "method": "GET", "raw_path": path.encode(), "query_string": b"", "headers": headers,
                 "server": ("localhost", 443), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}, **scope}, receive, send
            )  # fmt: skip
            for name, value in answers[-1][0].get("headers", []):
                cookie = value.partition(b";")[0] if name.lower() == b"set-cookie" else cookie

    asyncio.run(run())
    return answers[1:]


def test_under_asgi_it_works_too():
    _, answer = ask_asgi(
        application(),
        {"type": "http", "scheme": "https", "path": "/login"},
        {"type": "http", "scheme": "https", "path": "/me"},
    )
    assert json.loads(b"".join(message.get("body", b"") for message in answer)) == ANN


def test_under_asgi_a_websocket_reads_the_session_and_even_a_middleware_cannot_write_it():
    app, raised = sockets(application()), []

    @app.on_request
    async def visit(request):
        if request.path == "/ws":
            with pytest.raises(ResponseStartedError) as error:
                request.ctx.session["visited"] = True
            raised.append(error.type)

    _, answer = ask_asgi(
        app,
        {"type": "http", "scheme": "https", "path": "/login"},
        {"type": "websocket", "scheme": "wss", "path": "/ws"},
    )
    assert [message["type"] for message in answer] == ["websocket.accept", "websocket.send"]
    assert json.loads(answer[1]["text"]) == [ANN, ANN]
    assert raised == [ResponseStartedError]


def test_a_store_cannot_be_handed_to_a_worker():
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(SessionKit(store=STORE))


def test_the_cookie_header_is_read_as_it_came():
    def walk(client):
        client.get("/login")
        value = client.cookies.pop("__Host-session")
        return json.loads(client.get("/me", Cookie=f'theirs="a; __Host-session={value}; b"').text)

    assert browse(application(), walk) == ANN


# ---- guards


class Account(HTTPMethodView):
    @require_session_api
    async def get(self, request):
        return response.text("account")

    @require_session_page(login_url="/signin?from=page", logout_url="/signout", default="/home")
    def post(self, request):
        return response.text("posted")


@pytest.mark.parametrize(
    ("method", "status", "location"),
    [("GET", 401, None), ("POST", 303, "/signin?from=page&returnTo=/home")],
)
def test_guards_refuse_on_views(method, status, location):
    app = application()
    app.add_route(Account.as_view(), "/account")

    def walk(client):
        answer = client.get("/account", method)
        return answer.status, answer.headers.get("Location")

    assert browse(app, walk) == (status, location)


@pytest.mark.parametrize(("method", "text"), [("GET", "account"), ("POST", "posted")])
def test_guards_let_a_signed_in_user_pass_on_views(method, text):
    app = application()
    app.add_route(Account.as_view(), "/account")
    assert (
        browse(app, lambda client: [client.get("/login"), client.get("/account", method).text][1])
        == text
    )
