"""request.session: SessionBase, its extras, and the responses that carry it."""

from __future__ import annotations

import asyncio
import pickle
import sys

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.middleware import SessionMiddleware as DjangosSessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from sessionkit import (
    CookieSettings,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    SessionTooLargeError,
    get_session,
    update_session,
)
from sessionkit.formats import Importer, Native
from sessionkit.testing import session_cookies
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


@pytest.mark.parametrize("size", [1, 4200])
def test_an_unread_session_is_empty_if_no_cookie_of_one_came(size):
    client = Client()
    client.get(f"/big?size={size}")
    header = "; ".join(f"{one.key}={one.value}" for one in client.cookies.values())
    for sent, is_empty in ((header, False), (f"csrftoken=x; out.{NAME}=x", True), ("", True)):
        request = RequestFactory().get("/", headers={"cookie": sent})
        SessionMiddleware(lambda request: HttpResponse())(request)
        assert (request.session.is_empty(), request.session.accessed) == (is_empty, False)


def test_a_session_that_was_read_is_empty_if_it_holds_nothing():
    request = RequestFactory().get("/", headers={"cookie": f"{NAME}=x"})
    found = []

    def view(request):
        session = request.session
        found.append(session.is_empty())
        session.get("a")
        found.append(session.is_empty())
        session["a"] = 1
        found.append(session.is_empty())
        session.clear()
        found.append(session.is_empty())
        return HttpResponse()

    SessionMiddleware(view)(request)
    assert found == [False, True, False, True]


def test_a_session_that_is_imported_is_not_empty_before_it_is_read():
    importer = Importer(Native(), name="before", until=None)
    store = SessionStore(SECRET, cookie=CookieSettings(name="before"))
    ((name, value),) = session_cookies(store, {"a": 1}).items()
    with override_settings(SESSIONKIT={"accept": [importer]}):
        request = RequestFactory().get("/", headers={"cookie": f"{name}={value}"})
        found = []

        def view(request):
            found.append(request.session.is_empty())
            return HttpResponse()

        SessionMiddleware(view)(request)
    assert found == [False]


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
