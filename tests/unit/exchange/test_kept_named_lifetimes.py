"""Named lifetimes of sessions on the server: the pointer and the record keep the name."""

import re
from dataclasses import replace

import pytest

from sessionkit import Absence, Lifetime, SessionStore
from sessionkit._exchange.request import HeaderRequest

from ..kept import NAME, KeptScene
from ..scene import ALICE, SECRET, START, names

HOUR, DAY = 3600, 86_400
NAMED = {
    "remembered": Lifetime(idle=30 * DAY, absolute=90 * DAY),
    "kiosk": Lifetime(idle=300, absolute=HOUR, transient=True),
    "endless": Lifetime(idle=30 * DAY, absolute=None),
}


@pytest.fixture
def scene():
    return KeptScene(lifetimes=NAMED)


def login(scene, lifetime, session=ALICE):
    visit = scene.browser.visit()
    visit.exchange.create(session, lifetime=lifetime)
    return visit.arrive()


def age(line):
    found = re.search("; Max-Age=([0-9]+)", line)
    return None if found is None else int(found[1])


def with_lifetimes(scene, lifetimes):
    """Return the absence before a store with the same backend and other lifetimes."""
    store = SessionStore(SECRET, backend=scene.backend, clock=scene.clock, lifetimes=lifetimes)
    exchange = store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.drive()
    return store, exchange.absence


@pytest.mark.parametrize(
    ("name", "alive", "max_age"),
    [
        (None, DAY, 7 * DAY),
        ("remembered", 30 * DAY, 90 * DAY),
        ("kiosk", 300, None),
        ("endless", 30 * DAY, 400 * DAY),
    ],
)
def test_the_record_and_the_pointer_live_as_long_as_the_lifetime_says(scene, name, alive, max_age):
    (line,) = login(scene, name)
    assert max_age == age(line)
    (info,) = scene.store.sessions_of(ALICE)
    assert (name, START + alive) == (info.lifetime, info.expires_at)
    header = scene.browser.jar.header()
    scene.clock.wait(alive - 1)
    assert ALICE == scene.open(header).get()
    scene.clock.wait(1)
    assert Absence.IDLE is scene.open(header).absence
    assert [] == scene.store.sessions_of(ALICE)


def test_an_update_a_renewal_and_a_rotation_keep_the_name(scene):
    login(scene, "kiosk")
    scene.browser.update(n=1)
    scene.clock.wait(200)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert ["Touch"] == visit.settle()
    (info,) = scene.store.sessions_of(ALICE)
    assert ("kiosk", START + 500) == (info.lifetime, info.expires_at)
    visit = scene.browser.visit()
    visit.exchange.rotate()
    line, *_ = visit.arrive()
    assert (None, NAME) == (age(line), line.partition("=")[0])
    (info,) = scene.store.sessions_of(ALICE)
    assert ("kiosk", {**ALICE, "n": 1}) == (info.lifetime, info.contents)
    assert "kiosk" == scene.browser.visit().exchange.contents.stamp.lifetime


def test_parallel_updates_of_a_named_session_are_merged(scene):
    login(scene, "remembered")
    first, second = scene.browser.visit(), scene.browser.visit()
    first.exchange.get()["a"] = 1
    second.exchange.get()["b"] = 2
    first.arrive()
    second.arrive()
    assert {**ALICE, "a": 1, "b": 2} == scene.browser.session()
    assert ["remembered"] == [info.lifetime for info in scene.store.sessions_of(ALICE)]


def test_todays_settings_of_the_name_are_enforced(scene):
    login(scene, "remembered")
    scene.clock.wait(HOUR)
    store, absence = with_lifetimes(scene, {"remembered": Lifetime(idle=HOUR)})
    assert (Absence.IDLE, []) == (absence, store.sessions_of(ALICE))


def test_a_session_with_a_name_that_is_gone_is_over_and_can_still_be_removed(scene):
    login(scene, "remembered")
    (info,) = scene.store.sessions_of(ALICE)
    store, absence = with_lifetimes(scene, {})
    assert (Absence.EXPIRED, []) == (absence, store.sessions_of(ALICE))
    assert store.revoke(info.handle) is False
    assert scene.alive() == 0


def test_revoking_ends_a_named_session(scene):
    login(scene, "remembered")
    (info,) = scene.store.sessions_of(ALICE)
    assert scene.store.revoke(info.handle) is True
    assert Absence.UNKNOWN_RECORD is scene.browser.absence()


def test_a_long_request_looks_again_by_the_lifetime_of_its_session(scene):
    login(scene, "kiosk")
    exchange = scene.open(scene.browser.jar.header())
    assert ALICE == exchange.get()
    (info,) = scene.store.sessions_of(ALICE)
    owner, _, key = info.handle.partition(".")
    scene.clock.wait(299)
    assert exchange.refresh(scene.backend.load(key, owner)) is True
    scene.clock.wait(1)
    assert exchange.refresh(scene.backend.load(key, owner)) is False


@pytest.mark.parametrize(
    "moved",
    [
        lambda sealed: sealed.replace(b"kiosk", b"kiosK"),
        lambda sealed: sealed[:8] + b"\x0a" + sealed[9:12] + b"remembered" + sealed[17:],
        lambda sealed: sealed[:8] + b"\x00" + sealed[9:12] + sealed[17:],
        lambda sealed: sealed[:8] + b"\xff" + sealed[9:],
        lambda sealed: sealed[:9],
        lambda sealed: b"",
    ],
)
def test_whoever_writes_the_table_cannot_give_a_session_another_lifetime(scene, moved):
    login(scene, "kiosk")
    (info,) = scene.store.sessions_of(ALICE)
    owner, _, key = info.handle.partition(".")
    record = scene.backend.load(key, owner)
    sealed = moved(record.sealed)
    assert sealed != record.sealed
    scene.backend.delete(key, owner)
    assert scene.backend.insert(record._replace(sealed=sealed), scene.clock() + 1) is True
    assert scene.browser.session() == {}
    assert [] == scene.store.sessions_of(ALICE)


def test_a_pointer_of_another_lifetime_does_not_open_the_record(scene):
    login(scene, "kiosk")
    opened = scene.store.settings.records.open_pointer(scene.browser.jar.value(NAME), START)
    stamp = replace(opened.stamp, lifetime="remembered")
    text = scene.store.settings.records.seal_pointer(stamp, opened.owner, START, 90 * DAY)
    exchange = scene.open(f"{NAME}={text}")
    assert (None, Absence.MALFORMED) == (exchange.get(), exchange.absence)


def test_a_logout_removes_a_named_session(scene):
    login(scene, "remembered")
    assert f"-{NAME}" in names(scene.browser.logout())
    assert scene.alive() == 0
