"""request.session: SessionBase, its extras, and the responses that carry it."""

from __future__ import annotations

import asyncio
import copy
import pickle
import sys
from io import BytesIO
from typing import Any

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.middleware import SessionMiddleware as DjangosSessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from sessionkit import (
    EventKind,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    SessionTooLargeError,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit._exchange.exchange import ENDED
from sessionkit.testing import read_cookies, session_cookies
from sessionkit_django import SessionMiddleware, engine
from sessionkit_django.responses import Line
from sessionkit_django.testing import AsyncClient, Client

NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"
SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"


def lines(response) -> dict[str, str]:
    return {one.key: one.OutputString() for one in response.cookies.values()}


def test_it_is_djangos_session():
    request = RequestFactory().get("/")
    SessionMiddleware(lambda request: HttpResponse())(request)
    assert isinstance(request.session, SessionBase)
    assert issubclass(SessionMiddleware, DjangosSessionMiddleware)


def test_nothing_is_decrypted_before_it_is_used():
    request = RequestFactory().get("/", headers={"cookie": f"{NAME}=x"})
    SessionMiddleware(lambda request: HttpResponse())(request)
    assert request.session.accessed is False
    assert request.session.get("a") is None
    assert request.session.accessed is True


def test_the_session_key_is_the_id_and_never_the_token():
    client = Client()
    key = client.get("/put?a=1").content.decode()
    assert len(key) == 22
    assert client.get("/key").content.decode() == key
    assert key not in {one.value for one in client.cookies.values()}


def test_the_session_key_opens_nothing():
    client, thief = Client(), Client()
    key = client.get("/put?a=1").content.decode()
    thief.cookies[NAME] = key
    assert thief.get("/everything").json() == {}
    assert dict(engine.SessionStore(key)) == {}
    assert engine.SessionStore(key).exists(key) is False


def test_within_its_request_a_session_is_found_by_its_key():
    found = []

    def view(request):
        request.session["a"] = 1
        found.append(engine.SessionStore(request.session.session_key)["a"])
        found.append(dict(engine.SessionStore("another key of eight")))
        return HttpResponse()

    SessionMiddleware(view)(RequestFactory().get("/"))
    assert found == [1, {}]


def test_only_the_raw_cookie_header_counts():
    client = Client()
    client.get("/put?a=1")
    request = RequestFactory().get("/")
    request.COOKIES = {NAME: client.cookies[NAME].value}
    SessionMiddleware(lambda request: HttpResponse())(request)
    assert dict(request.session) == {}


def test_a_name_that_only_looks_prefixed_is_not_taken_for_one():
    client = Client()
    client.get("/put?a=1")
    planted = "\u2000".encode().decode("latin-1") + f"{NAME}={client.cookies[NAME].value}"
    request = RequestFactory().get("/", HTTP_COOKIE=planted)
    SessionMiddleware(lambda request: HttpResponse())(request)
    assert dict(request.session) == {}


@pytest.mark.parametrize("size", [10, 4200])
def test_an_error_report_shows_no_token(size):
    client = Client()
    client.get(f"/big?size={size}")
    header = "; ".join(f"{one.key}={one.value}" for one in client.cookies.values() if one.value)
    reports = []

    def view(request):
        assert len(request.session["big"]) == size
        try:
            raise RuntimeError("to be reported")
        except RuntimeError:
            reporter = ExceptionReporter(request, *sys.exc_info())
            reports.extend(
                [
                    reporter.get_traceback_text(),
                    reporter.get_traceback_html(),
                    repr(request.COOKIES),
                ]
            )
        return HttpResponse()

    SessionMiddleware(view)(RequestFactory().get("/", headers={"cookie": header}))
    tokens = [one.value[-60:] for one in client.cookies.values() if one.value]
    assert [token for token in tokens if any(token in report for report in reports)] == []
    assert "to be reported" in reports[0]


def test_a_nested_change_is_seen_as_one():
    client = Client()
    session = client.session
    session["cart"] = {"items": []}
    session.save()

    def view(request):
        assert request.session.modified is False
        request.session["cart"]["items"].append("tea")
        assert request.session.modified is True
        return HttpResponse()

    header = f"{NAME}={client.cookies[NAME].value}"
    response = SessionMiddleware(view)(RequestFactory().get("/", headers={"cookie": header}))
    client.cookies.update(response.cookies)
    assert client.session["cart"] == {"items": ["tea"]}


@override_settings(SESSIONKIT={"clock": lambda: 1_800_000_000.0})
def test_a_line_is_sent_byte_for_byte_and_shows_its_attributes():
    response = Client().get("/put?a=1")
    morsel = response.cookies[NAME]
    assert (
        morsel.OutputString().partition(";")[2]
        == " Max-Age=34560000; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High"
    )
    assert (morsel["path"], morsel["secure"], morsel["httponly"], morsel["samesite"]) == (
        "/",
        True,
        True,
        "Lax",
    )
    assert morsel["max-age"] == 34_560_000  # an int, as Django's own has


def test_a_line_survives_a_copy_and_a_pickle():
    line = Line("a=b; Path=/; Priority=High; Partitioned")
    assert [pickle.loads(pickle.dumps(line)).OutputString(), line.copy().OutputString()] == [
        line.line,
        line.line,
    ]


def test_a_session_of_several_cookies_grows_and_shrinks_in_a_test_client():
    client = Client()
    client.get("/put?a=1")
    assert set(lines(client.get("/big?size=4200"))) == {NAME, f"{NAME}.0", f"{NAME}.1"}
    assert client.session["big"] == "x" * 4200
    client.get("/big?size=1")
    assert client.get("/everything").json() == {"a": "1", "big": "x"}


def test_create_begins_a_session_for_a_visitor_of_whom_nothing_is_kept():
    client = Client()
    key = client.get("/begin").content
    assert client.get("/begin").content == key
    assert client.get("/key").content == key


def test_save_begins_a_session_too():
    client = Client()
    assert client.get("/save").content == client.get("/save").content != b""


def test_save_says_what_cannot_be_kept():
    session = Client().session
    session["big"] = "x" * 9000
    with pytest.raises(SessionTooLargeError):
        session.save()


def test_cycle_key_keeps_the_contents_and_ends_the_earlier_session():
    client = Client()
    before = client.get("/put?a=1").content
    earlier = client.cookies[NAME].value
    response = client.get("/cycle")
    assert set(response.cookies) == {NAME, OUT}
    assert response.content != before
    assert client.get("/everything").json() == {"a": "1"}
    client.cookies[NAME] = earlier
    assert client.get("/everything").json() == {}


def test_flush_ends_the_session_for_good():
    client = Client()
    client.get("/put?a=1")
    late = client.cookies[NAME].value
    response = client.get("/flush")
    assert {name: "Max-Age=0" in line for name, line in lines(response).items()} == {
        NAME: True,
        SEEN: True,
        OUT: False,
    }
    client.cookies[NAME] = late
    assert client.get("/everything").json() == {}


def test_the_test_cookie_works():
    client = Client()
    assert [client.get("/cookie-test").content for _ in range(2)] == [b"False", b"True"]


def test_a_late_write_raises():
    client = Client()
    response = client.get("/late")
    assert b"".join(response.streaming_content) == b"one ResponseStartedError"


def test_a_late_save_raises():
    request = RequestFactory().get("/")
    SessionMiddleware(lambda request: HttpResponse(str(request.session.get("a"))))(request)
    with pytest.raises(ResponseStartedError):
        request.session.save()


def test_a_304_keeps_the_cookie_and_says_vary():
    client = Client()
    response = client.get("/tagged", headers={"if-none-match": '"1"'})
    assert response.status_code == 304
    assert set(response.cookies) == {NAME}
    assert "Cookie" in response["Vary"]


def test_the_current_request_is_over_when_its_response_is():
    Client().get("/put?a=1")
    with pytest.raises(NoActiveRequestError):
        get_session()


# ---- async


def test_the_async_twins_do_what_their_names_say():
    async def scenario():
        client = AsyncClient()
        answer = (await client.get("/twins")).json()
        kept = {"b": [1, 2], "c": 3}
        assert answer == {"items": kept, "has": True, "age": 1_209_600, "key": True, "load": kept}
        assert (await client.get("/everything")).json() == kept
        assert (await client.get("/twins-of-ends")).json() == [True, None]
        assert (await client.get("/everything")).json() == {}

    asyncio.run(scenario())


def test_the_async_client_has_a_session_of_its_own():
    async def scenario():
        client = AsyncClient()
        session = await client.asession()
        await session.aset("a", 1)
        await session.asave()
        assert (await client.get("/everything")).json() == {"a": 1}

    asyncio.run(scenario())


# ---- the end of a request


def test_a_visitor_who_goes_away_takes_the_session_along():
    seen, begun = [], asyncio.Event()

    async def view(request):
        request.session["a"] = 1
        seen.append(request.session)
        begun.set()
        await asyncio.Event().wait()

    async def scenario():
        task = asyncio.create_task(SessionMiddleware(view)(RequestFactory().get("/")))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert seen[0].exchange.phase is ENDED


def test_the_request_is_closed_and_then_its_session_is_over():
    request = RequestFactory().post("/", {"a": BytesIO(b"a file")})
    assert request.FILES["a"].read() == b"a file"
    SessionMiddleware(lambda request: HttpResponse(str(request.session.get("a"))))(request)
    assert request.session.exchange.phase is not ENDED
    request.close()
    assert request.FILES["a"].closed
    assert request.session.exchange.phase is ENDED


def test_the_end_of_a_copied_request_is_not_that_of_its_original():
    def view(request):
        inner = copy.copy(request)
        SessionMiddleware(lambda request: HttpResponse())(inner)
        inner.close()
        request.session["a"] = 1
        return HttpResponse(str(request.session.exchange.phase is not ENDED))

    assert SessionMiddleware(view)(RequestFactory().get("/")).content == b"True"


# ---- the verbs, with Django's objects


def test_a_verb_without_the_middleware_writes_into_the_response_and_leaves_its_cookies():
    store = SessionStore(SECRET)
    request, response = HttpRequest(), HttpResponse()
    response.set_cookie("theirs", "1", path="/x")
    theirs = response.cookies["theirs"]
    store.create_session(request, response, {"user": {"sub": "ann"}})
    store.update_session(request, response, {"user": {"sub": "ann"}, "n": 1})
    assert set(response.cookies) == {"theirs", NAME}
    assert response.cookies["theirs"] is theirs
    assert response["Cache-Control"] == "private, no-store"
    request.META["HTTP_COOKIE"] = f"{NAME}={response.cookies[NAME].value}"
    again = HttpRequest()
    again.META["HTTP_COOKIE"] = request.META["HTTP_COOKIE"]
    assert dict(store.get_session(again) or {}) == {"user": {"sub": "ann"}, "n": 1}


def test_under_a_gateway_of_the_same_store_the_middleware_leaves_the_answer_to_it():
    store = SessionStore(SECRET)
    with override_settings(SESSIONKIT={"store": store}):
        answered = []

        def view(request):
            request.session["user"] = {"sub": "ann"}
            return HttpResponse()

        def app(environ, start_response):
            from django.core.handlers.wsgi import WSGIRequest

            response = SessionMiddleware(view)(WSGIRequest(environ))
            answered.append(list(response.cookies))
            start_response("200 OK", response.items())
            return [b""]

        sent = []
        list(
            store.wsgi(app)(
                RequestFactory().get("/").environ, lambda status, headers: sent.extend(headers)
            )
        )
    assert answered == [[]]
    assert [name for name, _ in sent if name == "Set-Cookie"] == ["Set-Cookie"]


def test_an_update_by_verb_is_seen_in_the_session_object():
    def view(request):
        request.session["user"] = {"sub": "ann"}
        update_session(request, {"user": {"sub": "ann"}, "n": 1})
        return HttpResponse(str(request.session["n"]))

    assert SessionMiddleware(view)(RequestFactory().get("/")).content == b"1"


def test_a_response_that_an_outer_middleware_replaces_leaves_no_session_behind():
    order = [
        "django.middleware.http.ConditionalGetMiddleware",
        "sessionkit_django.SessionMiddleware",
    ]
    with override_settings(MIDDLEWARE=order):
        client = Client()
        assert client.get("/tagged", headers={"if-none-match": '"1"'}).status_code == 304
    with pytest.raises(NoActiveRequestError):
        get_session()
    assert client.session["seen"] is True


# ---- an application that puts something else in the place of the session


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("put", "kept"),
    [({"n": 1}, {"n": 1}), ({}, {}), (None, {"cart": 1})],
    ids=["contents", "empty", "nothing"],
)
def test_a_dict_in_the_place_of_the_session_replaces_its_contents(put, kept, fails):
    def view(request):
        request.session = put
        return HttpResponse(status=500 if fails else 200)

    store = SessionStore(SECRET)
    with override_settings(SESSIONKIT={"store": store}):
        kit = SessionMiddleware(view)
        browser = RequestFactory()
        browser.cookies.load(session_cookies(store, {"cart": 1}))
        browser.cookies.update(kit(browser.get("/", secure=True)).cookies)
        asked = browser.get("/", secure=True)
        SessionMiddleware(lambda request: HttpResponse())(asked)
        assert dict(asked.session) == ({"cart": 1} if fails and kept else kept)


def test_an_async_view_can_put_a_dict_there_too():
    async def view(request):
        request.session = {"n": 1}
        return HttpResponse()

    request = AsyncRequestFactory().get("/", secure=True)
    response = asyncio.run(SessionMiddleware(view)(request))
    assert list(response.cookies) == [NAME]


def test_a_dict_that_is_put_there_while_the_response_is_streamed_is_reported():
    heard: list[Any] = []

    def view(request):
        def parts():
            yield b"a"
            request.session = {"late": 1}

        request.session["n"] = 1
        return StreamingHttpResponse(parts())

    with override_settings(SESSIONKIT={"store": SessionStore(SECRET, on_event=heard.append)}):
        request = RequestFactory().get("/", secure=True)
        response = SessionMiddleware(view)(request)
        list(response.streaming_content)
        request.close()
    assert [EventKind.LATE_CHANGE] == [event.kind for event in heard]


def test_a_verb_after_a_dict_counts_and_a_later_change_is_reported_inside_a_gateway_too():
    heard: list[Any] = []
    store = SessionStore(SECRET, on_event=heard.append)

    def view(request):
        request.session = given = {"user": {"sub": "bob"}}
        delete_session()
        given["late"] = 1
        return HttpResponse()

    def app(environ, start_response):
        response = SessionMiddleware(view)(WSGIRequest(environ))
        start_response("200 OK", list(response.items()))
        return [b""]

    with override_settings(SESSIONKIT={"store": store}):
        cookies = session_cookies(store, {"user": {"sub": "ann"}})
        environ = RequestFactory()._base_environ(**{"wsgi.url_scheme": "https"})
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        sent: list[Any] = []
        store.wsgi(app)(environ, lambda status, headers, exc_info=None: sent.extend(headers))
    lines = [value for name, value in sent if name == "Set-Cookie"]
    assert read_cookies(store, lines, cookies) is None
    assert [EventKind.DETACHED_CHANGE] == [event.kind for event in heard]


@pytest.mark.parametrize("put", [{}, {"user": {"sub": "bob"}}])
def test_a_verb_after_a_dict_in_the_place_of_the_session_counts(put):
    seen: list[Any] = []

    def again(request):
        request.session = dict(put)
        seen.append(dict(get_session() or {}))
        create_session({"user": {"sub": "cyd"}})
        return HttpResponse()

    def out(request):
        request.session = dict(put)
        delete_session()
        return HttpResponse()

    store = SessionStore(SECRET)
    with override_settings(SESSIONKIT={"store": store}):
        for view, kept in ((again, {"user": {"sub": "cyd"}}), (out, {})):
            browser = RequestFactory()
            browser.cookies.load(session_cookies(store, {"user": {"sub": "ann"}}))
            browser.cookies.update(SessionMiddleware(view)(browser.get("/", secure=True)).cookies)
            asked = browser.get("/", secure=True)
            SessionMiddleware(lambda request: HttpResponse())(asked)
            assert dict(asked.session) == kept
    assert seen == [put]
