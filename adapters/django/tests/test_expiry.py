"""`set_expiry`: the session is over when it says, on the server and in the browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.http import JsonResponse
from django.test import RequestFactory, override_settings

from sessionkit import Lifetime, SessionStore, create_session, get_session, update_session
from sessionkit.formats import DjangoCookie, Importer
from sessionkit.testing import session_cookies
from sessionkit_django import SessionMiddleware
from sessionkit_django.testing import Client

NAME, SEEN = "__Host-session", "__Host-seen.session"
SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"


def lines(response) -> dict[str, str]:
    return {one.key: one.OutputString() for one in response.cookies.values()}


def max_ages(response) -> dict[str, int | None]:
    found = {
        name: re.search("Max-Age=([0-9]+)", line)
        for name, line in lines(response).items()
        if name != "__Host-out.session"
    }
    return {name: None if age is None else int(age[1]) for name, age in found.items()}


def visit(at: float, header: str = "", value: object = None) -> tuple[dict[str, object], str]:
    """One visit at a time: what the session held, and the Cookie header of the next."""
    store = SessionStore(SECRET, clock=lambda: at)
    with override_settings(SESSIONKIT={"store": store}):

        def view(request):
            found = dict(request.session)
            if value is not None:
                request.session["a"] = 1
                request.session.set_expiry(value)
            return JsonResponse(found)

        request = RequestFactory().get("/", headers={"cookie": header})
        response = SessionMiddleware(view)(request)
        return dict(request.session), "; ".join(
            f"{one.key}={one.value}" for one in response.cookies.values()
        )


NOW = 1_800_000_000


@pytest.mark.parametrize(
    "value", [100, timedelta(seconds=100), datetime.fromtimestamp(NOW + 100, UTC)]
)
def test_a_session_ends_when_set_expiry_says(value, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime.fromtimestamp(NOW, UTC))
    _, cookie = visit(NOW, value=value)
    assert visit(NOW + 99, cookie)[0]["a"] == 1
    assert visit(NOW + 100, cookie)[0] == {}


def test_seconds_of_set_expiry_count_from_the_last_activity():
    _, cookie = visit(NOW, value=100)
    _, renewal = visit(NOW + 70, cookie)
    assert visit(NOW + 150, f"{cookie}; {renewal}")[0]["a"] == 1


def test_what_is_not_a_moment_ends_the_session():
    _, cookie = visit(NOW, value="tomorrow")
    assert visit(NOW + 1, cookie)[0] == {}


@pytest.mark.parametrize(("value", "max_age"), [("0", False), ("60", True), ("null", True)])
def test_zero_leaves_it_to_the_browser(value, max_age):
    client = Client()
    client.get("/put?a=1")
    response = client.get(f"/expiry?value={value}")
    if value == "null":
        assert lines(response) == {}  # nothing was set, and nothing changes
    else:
        assert ["Max-Age" in line for line in lines(response).values()] == [max_age]
        assert client.session.get_expire_at_browser_close() is not max_age


# ---- what the browser is promised


@pytest.fixture
def at(monkeypatch):
    """Answers a visit at a time of an active site, and remembers the cookies."""
    cookies: dict[str, str] = {}
    lifetime = Lifetime(idle=timedelta(days=14), absolute=timedelta(days=400))

    def answer(now: float, **change):
        monkeypatch.setattr("django.utils.timezone.now", lambda: datetime.fromtimestamp(now, UTC))

        def view(request):
            for key, value in change.items():
                request.session.set_expiry(value) if key == "expiry" else request.session.update(
                    {key: value}
                )
            return JsonResponse(dict(request.session))

        store = SessionStore(SECRET, clock=lambda: now, lifetime=lifetime)
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        with override_settings(SESSIONKIT={"store": store}):
            request = RequestFactory().get("/", headers={"cookie": header})
            response = SessionMiddleware(view)(request)
        for one in response.cookies.values():
            cookies[one.key] = one.value
        return response

    return answer


@pytest.mark.parametrize(
    "expiry", [3600, timedelta(hours=1), datetime.fromtimestamp(NOW + 3600, UTC)]
)
@pytest.mark.parametrize("size", [1, 4500])
def test_the_browser_is_promised_no_more(at, expiry, size):
    assert set(max_ages(at(NOW, big="x" * size, expiry=expiry)).values()) == {3600}


def test_zero_promises_nothing_and_none_what_the_store_does(at):
    assert max_ages(at(NOW, a=1, expiry=0)) == {NAME: None}
    assert max_ages(at(NOW + 1, expiry=60)) == {NAME: 60}
    assert max_ages(at(NOW + 2, expiry=None)) == {NAME: 400 * 86_400 - 2}


def test_a_longer_expiry_lifts_the_cap(at):
    at(NOW, a=1, expiry=60)
    assert max_ages(at(NOW + 1, expiry=7200)) == {NAME: 7200}


def test_a_write_counts_anew(at):
    at(NOW, a=1, expiry=3600)
    assert max_ages(at(NOW + 1800, a=2)) == {NAME: 3600}


def test_what_is_active_is_sent_again_before_the_browser_drops_it(at):
    at(NOW, a=1, expiry=3600)
    for visit in (1, 2, 3):
        response = at(NOW + visit * 3000)
        assert b'"a": 1' in response.content
        assert max_ages(response) == {NAME: 3600}


def test_a_renewal_ends_at_the_moment_that_was_set(at):
    at(NOW, a=1, expiry=datetime.fromtimestamp(NOW + 3600, UTC))
    assert max_ages(at(NOW + 3000)) == {SEEN: 600}


def test_what_is_over_already_is_not_sent(at):
    assert max_ages(at(NOW, a=1, expiry=-5)) == {}


def test_seconds_of_set_expiry_count_from_the_request_that_sets_them(at):
    at(NOW, a=1)
    assert max_ages(at(NOW + 600, expiry=300)) == {NAME: 300}
    assert at(NOW + 899).content == b'{"a": 1, "_session_expiry": 300}'


def test_an_expiry_in_the_past_ends_the_session(at):
    at(NOW, a=1)
    assert max_ages(at(NOW + 1, expiry=-1))[NAME] == 0
    assert at(NOW + 2).content == b"{}"


WAYS = {
    "set_expiry": lambda request, value: request.session.set_expiry(value),
    "an item": lambda request, value: request.session.setdefault("_session_expiry", value),
    "update": lambda request, value: request.session.update(_session_expiry=value),
    "a verb": lambda _, value: update_session(lambda old: {**old, "_session_expiry": value}),
    "a login": lambda _, value: create_session({"user": {"sub": "bob"}, "_session_expiry": value}),
    "the live session": lambda _, value: get_session().update(_session_expiry=value),
    "another dict": lambda request, value: setattr(
        request, "session", {**request.session, "_session_expiry": value}
    ),
}


@pytest.mark.parametrize("value", [[60], {"seconds": 60}, b"60"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_expiry_is_an_error_that_names_it(way, value):
    def view(request):
        WAYS[way](request, value)
        return JsonResponse({})

    store = SessionStore(SECRET)
    with override_settings(SESSIONKIT={"store": store}):
        browser = RequestFactory()
        browser.cookies.load(session_cookies(store, {"user": {"sub": "ann"}}))
        with pytest.raises(TypeError, match="'_session_expiry' of the session is"):
            SessionMiddleware(view)(browser.get("/", secure=True))


def test_a_session_that_comes_with_what_is_no_expiry_is_over():
    store, seen = SessionStore(SECRET), []
    with override_settings(SESSIONKIT={"store": store}):
        browser = RequestFactory()
        browser.cookies.load(session_cookies(store, {"a": 1, "_session_expiry": [60]}))
        request = browser.get("/", secure=True)
        SessionMiddleware(lambda one: seen.append(dict(one.session)) or JsonResponse({}))(request)
    assert seen == [{}]


@pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["after all times", "before them"])
def test_a_number_beyond_all_times_in_an_imported_session_raises_nothing(number):
    salt = "django.contrib.sessions.backends.signed_cookies"
    cookie = signing.dumps({"a": 1, "_session_expiry": number}, key=SECRET, salt=salt)
    importer = Importer(DjangoCookie(), secret=SECRET, name="old", until=None)
    seen: list[dict[str, object]] = []
    with override_settings(SESSIONKIT={"store": SessionStore(SECRET, accept=[importer])}):
        browser = RequestFactory()
        browser.cookies["old"] = cookie
        SessionMiddleware(lambda one: seen.append(dict(one.session)) or JsonResponse({}))(
            browser.get("/", secure=True)
        )
    assert seen == [{}]


def test_a_named_lifetime_says_the_age_and_set_expiry_may_shorten_it():
    named = {"kiosk": Lifetime(idle=300, absolute=3600, transient=True)}
    store = SessionStore(SECRET, clock=lambda: NOW, lifetimes=named)
    seen = []

    def view(request):
        create_session({"user": {"sub": "ada"}}, lifetime="kiosk")
        session = request.session
        seen.append((session.get_expiry_age(), session.get_expire_at_browser_close()))
        if request.GET:
            session.set_expiry(int(request.GET["age"]))
        return JsonResponse({})

    def line_of(path):
        with override_settings(SESSIONKIT={"store": store}):
            response = SessionMiddleware(view)(RequestFactory().get(path))
        return max_ages(response)[NAME]

    assert [None, 100, None] == [line_of("/"), line_of("/?age=100"), line_of("/?age=0")]
    assert [(300, True)] * 3 == seen
