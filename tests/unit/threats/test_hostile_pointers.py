"""Forged, foreign, swapped and moved pointers and records; a Cookie header full of them."""

import pickle

import pytest
from tracebacks import held

from sessionkit import (
    Absence,
    BackendError,
    ConflictError,
    CookieSettings,
    SessionStore,
    SessionTooLargeError,
)
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

from ..kept import FENCE, NAME, SEEN, KeptScene
from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, START, Clock, Scene, cookie, names

CANARY = "canary-in-the-contents"


class Counted(MemoryBackend):
    """A backend that counts what is loaded."""

    loads = 0

    def load(self, key, owner):
        self.loads += 1
        return super().load(key, owner)


@pytest.fixture
def scene():
    return KeptScene()


@pytest.fixture
def alice(scene):
    scene.browser.login()
    return scene.browser


def record_of(scene, browser):
    ((wanted),) = scene.store.begin(HeaderRequest(browser.jar.header())).wanted
    return scene.backend.load(*wanted)


def put(scene, record):
    scene.backend._records[record.key] = record


def value(browser):
    return browser.jar.value(NAME)


def test_a_pointer_of_another_name_audience_or_secret_costs_no_operation(scene):
    for settings in (
        {"cookie": CookieSettings(name="__Host-other")},
        {"audience": "b"},
        {"secret": OTHER_SECRET},
    ):
        other = KeptScene(**settings)
        (line,) = other.browser.login()
        text = line.partition("=")[2].partition(";")[0]
        assert () == scene.store.begin(HeaderRequest(f"{NAME}={text}")).wanted


def test_a_pointer_whose_bytes_were_changed_costs_no_operation(scene, alice):
    text = value(alice)
    for place in range(0, len(text), 7):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert () == scene.store.begin(HeaderRequest(f"{NAME}={changed}")).wanted


def test_a_content_token_is_no_pointer_and_a_pointer_is_no_content_token(scene, alice):
    plain = Scene()
    exchange = plain.store.begin(HeaderRequest(alice.jar.header()))
    assert (None, Absence.BAD_TAG) == (exchange.get(), exchange.absence)
    token = cookie(plain.browser.login({**ALICE, "o": "1" * 32}), NAME)
    exchange = scene.open(f"{NAME}={token}")
    assert () == exchange.wanted
    assert (None, Absence.UNKNOWN_RECORD) == (exchange.get(), exchange.absence)


def test_the_record_of_another_visitor_under_ones_own_key_does_not_open(scene, alice):
    bob = scene.another_browser()
    bob.login(BOB)
    mine, theirs = record_of(scene, alice), record_of(scene, bob)
    for moved in (
        mine._replace(version=theirs.version, sealed=theirs.sealed),
        mine._replace(sealed=theirs.sealed),
        mine._replace(version=b"0" * 12),
    ):
        put(scene, moved)
        exchange = scene.open(alice.jar.header())
        assert (None, Absence.BAD_TAG) == (exchange.get(), exchange.absence)


def test_a_record_with_another_creation_time_or_owner_gives_no_session(scene, alice):
    mine = record_of(scene, alice)
    put(scene, mine._replace(created_at=mine.created_at + 1))
    assert Absence.BAD_TAG is scene.open(alice.jar.header()).absence
    wanted = scene.store.begin(HeaderRequest(alice.jar.header()))
    assert len(wanted.wanted) == 1
    wanted.supply([mine._replace(owner="0" * 32)])
    assert Absence.UNKNOWN_RECORD is wanted.absence
    wanted = scene.store.begin(HeaderRequest(alice.jar.header()))
    assert len(wanted.wanted) == 1
    wanted.supply([mine._replace(key="0" * 32)])
    assert Absence.UNKNOWN_RECORD is wanted.absence


def test_a_record_that_was_sealed_for_another_time_of_creation_than_the_pointers(scene, alice):
    mine, codec = record_of(scene, alice), scene.store.settings.records
    sealed = codec.seal(
        b"{}", key=mine.key, owner=mine.owner, created_at=mine.created_at + 1, now=START
    )
    put(
        scene,
        mine._replace(created_at=mine.created_at + 1, version=sealed.version, sealed=sealed.sealed),
    )
    assert Absence.MALFORMED is scene.open(alice.jar.header()).absence


@pytest.mark.parametrize(
    "payload", [b"[]", b"7", b"{", b"\xff", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"]
)
def test_a_record_that_holds_no_session_is_malformed(scene, alice, payload):
    mine, codec = record_of(scene, alice), scene.store.settings.records
    sealed = codec.seal(
        payload, key=mine.key, owner=mine.owner, created_at=mine.created_at, now=START
    )
    put(scene, mine._replace(version=sealed.version, sealed=sealed.sealed))
    assert Absence.MALFORMED is scene.open(alice.jar.header()).absence


def test_a_forward_record_in_the_place_of_a_record_gives_no_session(scene, alice):
    bob = scene.another_browser()
    bob.login(BOB)
    mine, theirs = record_of(scene, alice), record_of(scene, bob)
    codec = scene.store.settings.records
    forward = codec.seal_forward(
        theirs.key, key=mine.key, owner=mine.owner, created_at=mine.created_at, now=START
    )
    put(scene, mine._replace(version=forward.version, sealed=forward.sealed))
    assert Absence.UNKNOWN_RECORD is scene.open(alice.jar.header()).absence
    exchange = scene.open(alice.jar.header())
    exchange.delete()
    exchange.commit()
    assert BOB == bob.session()


def test_whoever_moves_the_times_in_a_table_does_not_move_the_absolute_end(scene, alice):
    put(scene, record_of(scene, alice)._replace(updated_at=START + 10**8, expires_at=START + 10**9))
    scene.clock.wait(7 * 86_400 - 1)
    assert ALICE == scene.open(alice.jar.header()).get()
    scene.clock.wait(1)
    assert scene.open(alice.jar.header()).get() is None


def test_a_header_full_of_pointers_loads_none_and_a_logout_ends_the_first_four():
    scene = KeptScene(Counted(clock=Clock()))
    pointers = []
    for _ in range(20):
        browser = scene.another_browser()
        browser.login()
        pointers.append(browser.jar.header())
    scene.backend.loads = 0
    exchange = scene.open("; ".join(pointers))
    assert (None, Absence.TOO_LARGE, 0) == (exchange.get(), exchange.absence, scene.backend.loads)
    exchange.delete()
    exchange.commit()
    assert 16 == scene.alive()


def test_a_header_that_is_too_long_gives_no_session_and_a_logout_ends_what_can_be_read(
    scene, alice
):
    exchange = scene.open(f"{alice.jar.header()}; " + "; ".join(["junk=" + "x" * 4000] * 17))
    assert (None, Absence.TOO_LARGE) == (exchange.get(), exchange.absence)
    exchange.delete()
    lines = [text for name, text in exchange.commit().add if name == "Set-Cookie"]
    assert f"-{NAME}" in names(lines)
    assert 0 == scene.alive()


def test_chunks_of_a_session_of_before_are_beside_a_pointer(scene):
    plain = Scene()
    large = session_cookies(plain.store, {"cart": "x" * 4500})
    assert len(large) > 1
    scene.browser.login()
    chunks = "; ".join(f"{name}={text}" for name, text in large.items())
    exchange = scene.open(f"{scene.browser.jar.header()}; {chunks}")
    assert ALICE == exchange.get()
    exchange.delete()
    lines = [text for name, text in exchange.commit().add if name == "Set-Cookie"]
    assert {f"-{name}" for name in large} <= set(names(lines))
    assert {FENCE, f"-{NAME}", f"-{SEEN}"} <= set(names(lines))


def test_an_anonymous_session_in_chunks_is_read_beside_a_pointer_that_is_dead(scene, alice):
    header = alice.jar.header()
    alice.logout()
    chunks = session_cookies(Scene().store, {"cart": "x" * 4500})
    exchange = scene.open(
        f"{header}; " + "; ".join(f"{name}={text}" for name, text in chunks.items())
    )
    assert exchange.get() is None
    assert {"cart": "x" * 4500} == exchange.contents


def test_a_fence_beside_a_pointer_ends_its_session(scene, alice):
    from sessionkit._cookies import fence

    pointer = scene.store.settings.records.open_pointer(value(alice), START)
    mark = fence.mark(NAME, pointer.stamp.id)
    exchange = scene.open(f"{alice.jar.header()}; {FENCE}={mark}")
    assert (None, Absence.LOGGED_OUT) == (exchange.get(), exchange.absence)
    other = scene.open(f"{alice.jar.header()}; {FENCE}={'x' * 22}")
    assert ALICE == other.get()


def test_a_barrier_beside_a_pointer_ends_what_began_before_it(scene, alice):
    visit = scene.another_browser().visit(method="POST", headers={"Sec-Fetch-Site": "cross-site"})
    visit.exchange.create(BOB)
    lines = visit.answer()
    barriers = [line for line in lines if "before" in line.partition("=")[0]]
    if not barriers:
        pytest.fail(f"no barrier among {names(lines)}")
    pair = barriers[0].partition(";")[0]
    exchange = scene.open(f"{alice.jar.header()}; {pair}")
    assert (None, Absence.LOGGED_OUT) == (exchange.get(), exchange.absence)
    begun = scene.open(f"{lines[0].partition(';')[0]}; {pair}")
    assert BOB == begun.get()


def test_an_unreadable_pointer_of_another_worker_is_fenced_by_a_logout(scene):
    other = KeptScene(scene.backend, secret=OTHER_SECRET)
    other.browser.login()
    exchange = scene.open(other.browser.jar.header())
    exchange.delete()
    lines = [text for name, text in exchange.commit().add if name == "Set-Cookie"]
    assert FENCE in names(lines)
    late = other.open(f"{other.browser.jar.header()}; {FENCE}={cookie(lines, FENCE)}")
    assert (None, Absence.LOGGED_OUT) == (late.get(), late.absence)


# ---- nothing secret where it does not belong


def test_operations_and_what_is_kept_for_them_show_no_contents(scene):
    scene.browser.login({**ALICE, "token": CANARY})
    visit = scene.browser.visit()
    visit.exchange.update(lambda session: {**session, "n": 1})
    operation, _ = visit.exchange.decide()
    server = visit.exchange.server
    shown = repr((operation, server._steps, server.cookies, visit.exchange, server))
    assert CANARY not in shown
    assert value(scene.browser) not in shown


def test_an_exchange_with_a_backend_does_not_pickle(scene, alice):
    visit = alice.visit()
    visit.exchange.get()
    for one in (visit.exchange, scene.store, scene.store.settings.records):
        with pytest.raises(TypeError):
            pickle.dumps(one)


def raise_conflict(visit, other):
    visit.exchange.get()["user"]["name"] = CANARY
    other.exchange.get()["user"]["name"] = "B"
    other.arrive()
    while visit.step() is not None:
        pass


def raise_in_function(visit, other):
    calls = []

    def function(session):
        calls.append(1)
        if len(calls) > 1:
            raise KeyError("x")
        return {**session, "n": 1}

    visit.exchange.update(function)
    other.exchange.get()["other"] = CANARY
    other.arrive()
    visit.step()


def raise_lost(visit, other):
    visit.exchange.get()["other"] = CANARY
    visit.step(lost=False)


def raise_too_large(visit, other):
    visit.exchange.get()["other"] = CANARY * 10_000
    visit.step()


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (raise_conflict, ConflictError),
        (raise_in_function, KeyError),
        (raise_lost, BackendError),
        (raise_too_large, SessionTooLargeError),
    ],
)
def test_no_frame_of_ours_holds_contents(scene, act, error):
    scene.browser.login({**ALICE, "token": CANARY})
    with pytest.raises(error) as raised:
        act(scene.browser.visit(), scene.browser.visit())
    assert [] == held(raised.value, CANARY)


def test_a_load_that_fails_leaves_no_contents_in_a_frame(scene, alice):
    def fail(wanted):
        raise BackendError("the session backend is down")

    exchange = scene.store.begin(HeaderRequest(alice.jar.header()))
    exchange.loader = fail
    with pytest.raises(BackendError) as raised:
        exchange.get()
    assert [] == held(raised.value, value(alice))


def test_the_pointer_tells_its_owner_to_nobody_and_stays_small():
    store = SessionStore(SECRET, backend=MemoryBackend())
    with store.exchange() as exchange:
        exchange.create({**ALICE, "x": "y" * 50_000})
    text = exchange.response_headers[0][1].partition(";")[0].partition("=")[2]
    assert len(text) < 340
