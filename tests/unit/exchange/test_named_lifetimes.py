"""Named lifetimes: the token keeps the name, and today's settings of that name hold."""

import json
import re

import pytest

from sessionkit import Absence, ConfigurationError, CookieSettings, Lifetime, Native
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._session.base64url import decode
from sessionkit.formats import Importer

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, START, Browser, Scene, cookie, names

HOUR, DAY = 3600, 86_400
SESSION, SEEN, FENCE = "__Host-session", "__Host-seen.session", "__Host-out.session"
NAMED = {
    "remembered": Lifetime(idle=30 * DAY, absolute=90 * DAY),
    "kiosk": Lifetime(idle=300, absolute=HOUR, transient=True),
    "support": Lifetime(rolling=False, absolute=600),
    "fresh": Lifetime(idle=HOUR, renew_after=0),
}


def max_age(lines, name=SESSION):
    """The Max-Age that the lines give a cookie; None for a cookie without one."""
    (line,) = (line for line in lines if line.partition("=")[0] == name)
    found = re.search("; Max-Age=([0-9]+)", line)
    return None if found is None else int(found[1])


def login(browser, lifetime, session=ALICE):
    visit = browser.visit()
    visit.exchange.create(session, lifetime=lifetime)
    return visit.arrive()


def name_of(browser):
    return browser.visit().exchange.contents.stamp.lifetime


def another_store(scene, **settings):
    """The same browser, before a store with other settings."""
    other = Scene(**settings)
    browser = Browser(other.store, scene.clock)
    other.clock.now = scene.clock.now
    browser.jar = scene.browser.jar
    return browser


@pytest.fixture
def scene():
    return Scene(lifetimes=NAMED)


@pytest.mark.parametrize(
    ("name", "alive", "reason"),
    [
        (None, DAY - 1, Absence.IDLE),
        ("remembered", 30 * DAY - 1, Absence.IDLE),
        ("kiosk", 299, Absence.IDLE),
        ("support", 599, Absence.ABSOLUTE),
    ],
)
def test_a_session_lives_as_long_as_its_lifetime_says(scene, name, alive, reason):
    login(scene.browser, name)
    header = scene.browser.jar.header()  # a browser would drop a cookie at its Max-Age
    scene.clock.wait(alive)
    assert ALICE == scene.store.begin(HeaderRequest(header)).get()
    scene.clock.wait(1)
    assert reason is scene.store.begin(HeaderRequest(header)).absence


@pytest.mark.parametrize(
    ("name", "age"),
    [(None, 7 * DAY), ("remembered", 90 * DAY), ("kiosk", None), ("support", 600)],
)
def test_the_max_age_of_the_cookie_follows_the_sessions_lifetime(scene, name, age):
    assert age == max_age(login(scene.browser, name))
    scene.clock.wait(100)
    assert (None if age is None else age - 100) == max_age(scene.browser.update(n=1))


@pytest.mark.parametrize(
    ("name", "wait", "age"), [("remembered", 60, 30 * DAY), ("kiosk", 60, None), ("fresh", 1, HOUR)]
)
def test_a_renewal_follows_the_sessions_lifetime(scene, name, wait, age):
    login(scene.browser, name)
    scene.clock.wait(wait)
    visit = scene.browser.visit()
    assert ALICE == visit.exchange.get()
    assert age == max_age(visit.arrive(), SEEN)


def test_a_session_that_does_not_roll_by_its_name_is_neither_renewed_nor_touched(scene):
    login(scene.browser, "support")
    scene.clock.wait(100)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert (False, []) == (visit.exchange.touch(), visit.arrive())


def test_a_touch_moves_the_idle_expiry_of_the_sessions_own_lifetime(scene):
    login(scene.browser, "kiosk")
    scene.clock.wait(200)
    visit = scene.browser.visit()
    assert visit.exchange.touch() is True
    visit.arrive()
    scene.clock.wait(299)
    assert ALICE == scene.browser.session()
    scene.clock.wait(1)
    assert Absence.IDLE is scene.browser.absence()


def test_an_update_and_a_rotation_keep_the_name(scene):
    login(scene.browser, "remembered")
    scene.browser.update(n=1)
    assert "remembered" == name_of(scene.browser)
    visit = scene.browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    assert "remembered" == name_of(scene.browser)
    scene.clock.wait(30 * DAY - 1)
    assert {**ALICE, "n": 1} == scene.browser.session()


def test_a_new_login_without_a_name_has_the_default_lifetime(scene):
    login(scene.browser, "remembered")
    scene.browser.login(BOB)
    assert (None, BOB) == (name_of(scene.browser), scene.browser.session())
    scene.clock.wait(DAY)
    assert Absence.IDLE is scene.browser.absence()


def test_a_login_through_a_native_object_has_the_default_lifetime():
    scene = Scene(lifetimes=NAMED)
    scene.browser.store = scene.store.for_framework(FrameworkKeys(login=("uid",)))
    login(scene.browser, "remembered")
    visit = scene.browser.visit()
    visit.exchange.contents["uid"] = 7
    visit.arrive()
    assert name_of(scene.browser) is None


def test_the_last_login_of_a_request_says_the_lifetime(scene):
    visit = scene.browser.visit()
    visit.exchange.create(ALICE, lifetime="remembered")
    visit.exchange.create(ALICE, lifetime="support")
    assert 600 == max_age(visit.arrive())
    assert "support" == name_of(scene.browser)


def test_todays_settings_of_the_name_are_enforced_when_they_are_stricter(scene):
    login(scene.browser, "remembered")
    browser = another_store(scene, lifetimes={"remembered": Lifetime(idle=HOUR)})
    scene.clock.wait(HOUR - 1)
    browser.store.settings.clock.wait(HOUR - 1)
    assert ALICE == browser.session()
    browser.store.settings.clock.wait(1)
    assert Absence.IDLE is browser.absence()


def test_a_session_never_lives_longer_than_it_was_stamped_for(scene):
    login(scene.browser, "kiosk")
    browser = another_store(scene, lifetimes={"kiosk": Lifetime(idle=DAY)})
    browser.store.settings.clock.wait(300)
    assert Absence.EXPIRED is browser.absence()


@pytest.mark.parametrize("lifetimes", [{}, {"other": Lifetime()}, {"Remembered": Lifetime()}])
def test_a_session_with_a_name_that_is_gone_is_over(scene, lifetimes):
    login(scene.browser, "remembered")
    browser = another_store(scene, lifetimes=lifetimes)
    assert (Absence.EXPIRED, {}) == (browser.absence(), browser.session())
    assert [f"-{SESSION}", f"-{SEEN}", FENCE] == names(browser.logout())


def test_a_session_without_a_name_does_not_see_the_named_lifetimes(scene):
    scene.browser.login()
    assert ALICE == another_store(scene).session()


def test_the_fence_stands_as_long_as_the_longest_lifetime(scene):
    login(scene.browser, "kiosk")
    assert 90 * DAY == max_age(scene.browser.logout(), FENCE)


def test_a_late_answer_does_not_revive_a_remembered_session_after_the_logout(scene):
    login(scene.browser, "remembered")
    late = scene.browser.visit()
    late.exchange.update({**ALICE, "n": 1})
    scene.browser.logout()
    scene.clock.wait(20 * DAY)
    late.arrive()
    assert Absence.LOGGED_OUT is scene.browser.absence()


def test_the_name_is_the_last_member_of_the_tokens_header(scene):
    login(scene.browser, "remembered")
    header = decode(scene.browser.jar.value(SESSION).partition(".")[0].encode())
    assert header.endswith(b',"exp":%d,"lif":"remembered"}' % (START + 30 * DAY))
    assert ["alg", "enc", "kid", "sid", "iat", "uat", "exp", "lif"] == list(json.loads(header))


# ---- transient cookies


def test_the_default_lifetime_may_make_the_cookie_transient_or_lasting():
    scene = Scene(
        lifetime=Lifetime(transient=True), lifetimes={"remembered": Lifetime(absolute=30 * DAY)}
    )
    assert max_age(scene.browser.login()) is None
    assert 30 * DAY == max_age(login(scene.browser, "remembered"))
    lasting = Scene(lifetime=Lifetime(transient=False), cookie=CookieSettings(transient=True))
    assert 7 * DAY == max_age(lasting.browser.login())


@pytest.mark.parametrize(("transient", "age"), [(None, None), (True, None), (False, 7 * DAY)])
def test_a_named_lifetime_that_says_nothing_follows_the_cookie_settings(transient, age):
    named = {"named": Lifetime(transient=transient)}
    scene = Scene(cookie=CookieSettings(transient=True), lifetimes=named)
    assert age == max_age(login(scene.browser, "named"))


def test_contents_that_speak_of_the_cookie_win_over_the_lifetime():
    scene = Scene(lifetimes=NAMED)
    keys = FrameworkKeys(transient=lambda contents: contents.get("transient"))
    scene.browser.store = scene.store.for_framework(keys)
    assert HOUR == max_age(login(scene.browser, "kiosk", {**ALICE, "transient": False}))
    assert max_age(login(scene.browser, "remembered", {**ALICE, "transient": True})) is None
    assert 90 * DAY == max_age(login(scene.browser, "remembered"))


# ---- size


def test_a_name_never_makes_a_session_too_large_that_was_checked(scene):
    settings = scene.store.settings
    for spare in range(60):
        text = "x" * (settings.single_plaintext - 60 + spare)
        lines = login(scene.browser, "remembered", {**ALICE, "text": text})
        assert all(len(line) <= 4096 for line in lines)
        assert text == scene.browser.session()["text"]


# ---- importing


def test_a_session_that_is_imported_from_an_earlier_cookie_keeps_its_name(scene):
    login(scene.browser, "remembered")
    earlier = Importer(Native(), name=SESSION, secret=SECRET, until=None)
    other = Scene(
        secret=OTHER_SECRET, cookie=CookieSettings(name="app"), lifetimes=NAMED, accept=[earlier]
    )
    other.browser.jar = scene.browser.jar
    assert ALICE == other.browser.session()
    visit = other.browser.visit()
    visit.exchange.get()
    assert 90 * DAY == max_age(visit.arrive(), "app")
    assert "remembered" == name_of(other.browser)


def test_a_session_whose_name_the_importing_store_does_not_know_is_not_imported(scene):
    login(scene.browser, "remembered")
    earlier = Importer(Native(), name=SESSION, secret=SECRET, until=None)
    other = Scene(secret=OTHER_SECRET, cookie=CookieSettings(name="app"), accept=[earlier])
    other.browser.jar = scene.browser.jar
    assert Absence.EXPIRED is other.browser.absence()


def test_a_logout_fences_an_imported_session_whose_name_the_store_does_not_know(scene):
    login(scene.browser, "remembered")
    earlier = Importer(Native(), name=SESSION, secret=SECRET, until=None)
    settings = {"secret": OTHER_SECRET, "cookie": CookieSettings(name="app"), "accept": [earlier]}
    header = scene.browser.jar.header()
    other = Scene(**settings)
    exchange = other.store.begin(HeaderRequest(header))
    assert (False, Absence.LOGGED_OUT) == (exchange.delete(), exchange.absence)
    lines = [line for name, line in exchange.commit().add if name == "Set-Cookie"]
    late = Scene(**settings, lifetimes=NAMED).store
    assert ALICE == late.begin(HeaderRequest(header)).get()
    fenced = f"{header}; out.app={cookie(lines, 'out.app')}"
    assert Absence.LOGGED_OUT is late.begin(HeaderRequest(fenced)).absence


# ---- wrong names


@pytest.mark.parametrize("name", ["remembred", "", "Kiosk", 7, [], NAMED["kiosk"]])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(scene, name):
    visit = scene.browser.visit()
    with pytest.raises(ConfigurationError, match="'remembered', 'kiosk', 'support', 'fresh'"):
        visit.exchange.create(ALICE, lifetime=name)
    assert visit.exchange.get() is None


def test_a_store_without_named_lifetimes_says_where_to_give_them():
    with pytest.raises(ConfigurationError, match=r"give SessionStore\(lifetimes="):
        Scene().browser.visit().exchange.create(ALICE, lifetime="remembered")
