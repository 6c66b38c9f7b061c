"""When a session began and was last used, as its next token says."""

from sessionkit import CookieSettings, Lifetime, SessionStore, SessionTooLargeError
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import Auth0V3, Importer

from ..scene import ALICE, SECRET, Scene


def test_a_session_that_exactly_fills_its_cookies_is_kept_and_one_byte_more_is_not():
    def fits(size, limit):
        scene = Scene(cookie=CookieSettings(max_bytes=limit))
        try:
            scene.browser.login({**ALICE, "x": "y" * size})
        except SessionTooLargeError:
            return False
        return sum(len(piece) + 2 for piece in scene.browser.jar.header().split("; ")) <= limit

    scene = Scene()
    scene.browser.login({**ALICE, "x": "y" * 4500})
    total = sum(len(piece) + 2 for piece in scene.browser.jar.header().split("; "))
    assert len(scene.browser.jar.names()) == 2
    assert (fits(4500, total), fits(4500, total - 1)) == (True, False)


def test_a_write_in_the_very_second_of_the_last_one_is_stamped_by_todays_settings():
    scene = Scene(lifetime=Lifetime(idle=100, absolute=5000))
    scene.browser.login()
    longer = SessionStore(SECRET, clock=scene.clock, lifetime=Lifetime(idle=1000, absolute=5000))
    scene.browser.store = longer
    scene.browser.update(theme="dark")
    assert scene.browser.visit().exchange.get().stamp.expires_at == scene.clock() + 1000


def test_a_session_that_begins_in_a_slow_request_is_stamped_when_its_answer_goes_out():
    scene = Scene()
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    scene.clock.wait(50)
    visit.arrive()
    stamp = scene.browser.visit().exchange.get().stamp
    assert (stamp.created_at, stamp.updated_at) == (scene.clock() - 50, scene.clock())


def test_a_login_in_the_second_in_which_a_session_to_be_imported_began_is_not_taken_for_that():
    old = Scene(format=Auth0V3(), cookie=CookieSettings(name="old"))
    user = {"user": {"sub": "alice", "sid": "s"}}
    old.browser.login(user)
    scene = Scene(format=Auth0V3(), accept=[Importer(Auth0V3(), name="old", until=None)])
    exchange = scene.store.begin(HeaderRequest(old.browser.jar.header()))
    exchange.create(user)
    scene.browser.jar.receive(
        [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    )
    assert scene.browser.session() == user
