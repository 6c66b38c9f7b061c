"""What a hostile reader found, each with what it did."""

import copy
import pickle
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from wsgiref.headers import Headers

import pytest

from sessionkit import EventKind, Lifetime, Session, get_session, update_session
from sessionkit._crypto.keyring import KeyRing
from sessionkit._exchange.exchange import ENDED
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import LazyContents
from sessionkit._frameworks.guards import return_to_of
from sessionkit._requests.views import ASGIRequest

from ..scene import ALICE, BOB, SECRET, Scene, names


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_live_session_may_be_put_into_what_replaces_it(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    assert visit.exchange.update({**ALICE, "before": visit.exchange.get()}) is True
    visit.arrive()
    assert scene.browser.session() == {**ALICE, "before": ALICE}


def test_a_login_as_another_may_keep_the_session_it_came_from(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.create({**BOB, "impersonator": visit.exchange.get()})
    visit.arrive()
    assert scene.browser.session() == {**BOB, "impersonator": ALICE}


def test_what_is_changed_in_a_session_inside_the_session_is_saved(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.update({**ALICE, "draft": Session({"title": "a"})})
    visit.exchange.get()["draft"]["title"] = "b"
    visit.arrive()
    assert scene.browser.session() == {**ALICE, "draft": {"title": "b"}}


class Text(str):
    __slots__ = ()


def test_a_user_is_the_same_whichever_kind_of_text_names_them(scene):
    scene.browser.login({"user": {"sub": Text("alice")}})
    visit = scene.browser.visit()
    assert visit.exchange.update({"user": {"sub": Text("alice")}, "theme": "dark"}) is True
    visit.exchange.get()["theme"] = "light"
    visit.arrive()
    assert scene.browser.session() == {"user": {"sub": "alice"}, "theme": "light"}


def test_a_login_with_another_kind_of_dict_may_be_changed_before_the_response(scene):
    visit = scene.browser.visit()
    visit.exchange.create({"user": OrderedDict(name="Alice")})["theme"] = "dark"
    visit.arrive()
    assert scene.browser.session() == {"user": {"name": "Alice"}, "theme": "dark"}


def environ(browser):
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_COOKIE": browser.jar.header(),
        "wsgi.url_scheme": "https",
    }


def values(headers, name):
    return [value for field, value in headers if field == name]


def test_what_the_application_adds_between_two_calls_takes_nothing_from_what_it_said_before(scene):
    scene.browser.login()
    request, headers = environ(scene.browser), [("Vary", "Accept"), ("Cache-Control", "private")]
    scene.store.update_session(request, headers, {**ALICE, "theme": "dark"})
    headers += [("Vary", "Origin"), ("Cache-Control", "max-age=60")]
    scene.store.update_session(request, headers, ALICE)
    assert values(headers, "Vary") == ["Accept, Origin, Cookie"]
    assert values(headers, "Cache-Control") == ["private", "max-age=60"]


def test_what_the_application_puts_in_place_of_a_field_between_two_calls_is_its_last_word(scene):
    scene.browser.login()
    request, headers = (
        environ(scene.browser),
        Headers([("Vary", "Accept"), ("Cache-Control", "private"), ("Expires", "0")]),
    )
    scene.store.update_session(request, headers, {**ALICE, "theme": "dark"})
    headers["Vary"], headers["Cache-Control"], headers["Expires"] = "Origin", "max-age=60", "1"
    scene.store.update_session(request, headers, ALICE)
    assert sorted(headers.items()) == [
        ("Cache-Control", "max-age=60"),
        ("Expires", "1"),
        ("Vary", "Origin, Cookie"),
    ]


class MeetingRequest(HeaderRequest):
    """Whose reader waits for a second one."""

    def __init__(self, cookie_header: str) -> None:
        super().__init__()
        self.held = cookie_header
        self.meeting = Barrier(2, timeout=10)

    @property
    def cookie_header(self) -> str:
        self.meeting.wait()
        return self.held

    @cookie_header.setter
    def cookie_header(self, value: str) -> None:
        pass


def test_threads_that_look_at_once_are_given_one_session_and_one_event():
    scene = Scene(lifetime=Lifetime(idle=100, absolute=1000))
    scene.browser.login()
    for waited, events in ((0, 0), (200, 1)):
        exchange = scene.store.begin(MeetingRequest(scene.browser.jar.header()))
        scene.clock.wait(waited)
        with ThreadPoolExecutor(2) as pool:
            one, other = (pool.submit(getattr, exchange, "contents") for _ in range(2))
        assert one.result() is other.result() is exchange.contents
        assert len(scene.events) == events


def kinds(scene):
    return [event.kind for event in scene.events]


def test_a_roll_back_is_told_once_however_often_the_response_is_begun(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.update({**ALICE, "theme": "dark"})
    visit.answer(500)
    visit.answer(503)
    visit.exchange.finish()
    assert kinds(scene) == [EventKind.ROLLED_BACK]


def test_each_write_into_a_failed_response_does_not_tell_again(scene):
    scene.browser.login()
    request, message = (
        environ(scene.browser),
        {"type": "http.response.start", "status": 500, "headers": []},
    )
    for theme in ("dark", "light"):
        scene.store.update_session(request, message, {**ALICE, "theme": theme})
    request["sessionkit.exchange"].finish()
    assert kinds(scene) == [EventKind.ROLLED_BACK]


def test_changes_lost_by_expiry_are_told_once_however_often_the_response_is_begun():
    scene = Scene(lifetime=Lifetime(idle=100))
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.contents["theme"] = "dark"
    scene.clock.wait(100)
    assert [visit.answer(200), visit.answer(200)] == [[], []]
    assert kinds(scene) == [EventKind.EXPIRED_UNSAVED]


def test_a_logout_clears_the_cookie_though_too_much_came_and_an_anonymous_session_was_begun_and_emptied(
    scene,
):
    exchange = scene.store.begin(HeaderRequest("__Host-session=a; padding=" + "b" * 65_536))
    exchange.delete()
    exchange.contents["cart"] = []
    del exchange.contents["cart"]
    lines = [value for name, value in exchange.commit().add if name == "Set-Cookie"]
    assert names(lines) == [
        "-__Host-session", "-__Host-session.0", "-__Host-session.1", "-__Host-seen.session", "__Host-before.session",
    ]  # fmt: skip


def test_whatever_holds_keys_is_not_copied_with_the_configuration_it_stands_in(scene):
    ring = KeyRing(SECRET)
    assert copy.deepcopy({"ring": ring})["ring"] is ring
    for gateway in (scene.store.wsgi(print), scene.store.asgi(print)):
        assert copy.deepcopy([gateway])[0].settings is scene.store.settings


class Failing:
    """A body that fails, and is torn down."""

    def __init__(self, torn_down):
        self.torn_down = torn_down

    def __iter__(self):
        return self

    def __next__(self):
        raise ValueError("the application failed")

    def close(self):
        self.torn_down()


def serve(application, request):
    """As a server does: an exception is its own 500."""
    started = []
    body = application(request, lambda status, headers, exc_info=None, /: started.append(status))
    with closing(body), pytest.raises(ValueError, match="the application failed"):
        list(body)
    return started


def test_the_teardown_of_a_body_that_failed_still_has_the_session(scene):
    seen = []

    def application(request, start_response):
        start_response("200 OK", [])
        return Failing(lambda: seen.append(dict(get_session())))

    scene.browser.login()
    request = environ(scene.browser)
    assert serve(scene.store.wsgi(application), request) == ["200 OK"]
    assert seen == [ALICE]
    assert request["sessionkit.exchange"].phase is ENDED


def test_a_change_that_a_server_drops_with_the_headers_of_a_failed_body_is_told(scene):
    def application(request, start_response):
        update_session({**ALICE, "theme": "dark"})
        start_response("200 OK", [])
        return Failing(lambda: None)

    scene.browser.login()
    serve(scene.store.wsgi(application), environ(scene.browser))
    assert kinds(scene) == [EventKind.ROLLED_BACK]


def test_a_change_that_a_server_drops_with_the_headers_of_a_failed_application_is_told(scene):
    def application(request, start_response):
        update_session({**ALICE, "theme": "dark"})
        start_response("200 OK", [])
        raise ValueError("the application failed")

    scene.browser.login()
    request = environ(scene.browser)
    with pytest.raises(ValueError, match="the application failed"):
        scene.store.wsgi(application)(request, lambda *_: None)
    assert kinds(scene) == [EventKind.ROLLED_BACK]
    assert request["sessionkit.exchange"].phase is ENDED


def test_a_path_that_is_no_text_is_not_in_the_way_of_a_sign_in():
    assert (
        return_to_of(
            ASGIRequest({"type": "http", "method": "GET", "path": "/a\udc80", "query_string": b""})
        )
        == "/a%3F"
    )


def test_a_user_without_an_id_is_the_same_in_whatever_order_the_claims_come(scene):
    scene.browser.login({"user": {"name": "Ann", "office": {"town": "Bonn", "floor": 2}}})
    visit = scene.browser.visit()
    assert (
        visit.exchange.update(
            {"user": {"office": {"floor": 2, "town": "Bonn"}, "name": "Ann"}, "theme": "dark"}
        )
        is True
    )
    visit.exchange.get()["user"] = {"name": "Ann", "office": {"floor": 2, "town": "Bonn"}}
    assert len(visit.arrive()) == 1
    assert scene.browser.update(user={"office": {"floor": 2, "town": "Bonn"}, "name": "Ann"}) != []
    other = scene.browser.visit().exchange
    assert other.update({"user": {"name": "Ann", "office": {"town": "Bonn", "floor": 3}}}) is False


@pytest.mark.parametrize(
    "how", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_of_a_frameworks_session_is_a_plain_dict(scene, how):
    scene.browser.login()
    visit = scene.browser.visit()
    snapshot = how(LazyContents(visit.exchange))
    snapshot["theme"] = "dark"
    assert (type(snapshot), snapshot) == (dict, {**ALICE, "theme": "dark"})
    assert visit.arrive() == []


def test_a_message_that_has_no_headers_yet_is_given_bytes_whatever_the_request(scene):
    message = {"type": "http.response.start", "status": 200, "headers": []}
    scene.store.get_session(environ(scene.browser), message)
    assert message["headers"] == [(b"vary", b"Cookie")]


def test_a_field_that_the_application_named_twice_is_in_vary_once(scene):
    visit = scene.browser.visit()
    visit.exchange.get()
    assert visit.commit(200, [("Vary", "cookie, Accept"), ("vary", "accept, Cookie")]) == [
        ("Vary", "cookie, Accept")
    ]
