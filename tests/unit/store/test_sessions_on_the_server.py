"""List, revoke and purge sessions on the server, and look again whether one is valid."""

import asyncio
import gc

import pytest

from sessionkit import (
    BackendError,
    ConfigurationError,
    CookieSettings,
    Lifetime,
    NoActiveRequestError,
    SessionStore,
    create_session,
    delete_session,
    rotate_session,
)
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._management import _ending
from sessionkit._requests.gateway import Gateway

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, BOB, SECRET, START, Clock

DAY = 86_400
MALFORMED = ["", "x", "0" * 32, f"{'0' * 32}.{'0' * 31}", f"{'A' * 32}.{'0' * 32}", None, 7, b"x"]


@pytest.fixture
def scene():
    return KeptScene()


def open_exchange(scene, browser=None):
    return scene.store.exchange((browser or scene.browser).jar.header())


def sign_in(scene, number, user=ALICE):
    browser = scene.another_browser()
    browser.login({**user, "n": number})
    scene.clock.wait(1)
    return browser


def test_sessions_are_listed_the_one_that_was_used_last_first(scene):
    first, _ = sign_in(scene, 1), sign_in(scene, 2)
    sign_in(scene, 3, BOB)
    first.update(n=4)
    assert [4, 2] == [info.contents["n"] for info in scene.store.sessions_of(ALICE)]


def test_the_session_of_the_request_is_the_current_one(scene):
    browser = sign_in(scene, 1)
    sign_in(scene, 2)
    with open_exchange(scene, browser):
        found = {info.contents["n"]: info.is_current for info in scene.store.sessions_of(ALICE)}
    assert {1: True, 2: False} == found


def test_an_entry_shows_no_contents_and_its_contents_are_a_copy(scene):
    browser = sign_in(scene, 1)
    (info,) = scene.store.sessions_of(ALICE)
    assert "alice" not in repr(info)
    info.contents["n"] = 9
    assert 1 == browser.session()["n"]


def test_a_user_is_given_as_contents_or_as_the_identity(scene):
    sign_in(scene, 1)
    identity = ("sub", "https://issuer.example", "alice")
    assert [1, 1, 0] == [
        len(scene.store.sessions_of(user)) for user in (ALICE, identity, ("sub", None, "alice"))
    ]


@pytest.mark.parametrize(
    "user",
    ["alice", 7, b"alice", None, "", {}, {"cart": [1], "x": 1}, {"sub": "alice"}, {"id": 7}, ALICE["user"], ("alice",), (), ("sub", "alice"), ["sub", None, "alice"]],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("verb", ["sessions_of", "revoke_user"])
def test_a_user_who_names_nobody_is_refused(scene, user, verb):
    sign_in(scene, 1)
    with pytest.raises(ValueError, match=r"give contents that name the user as the session does"):
        getattr(scene.store, verb)(user)
    assert 1 == scene.alive()


@pytest.mark.parametrize("value", [0, "", "alice", ("a", 1), ["a"], {"a": 1}, False])
def test_an_identity_of_the_applications_own_may_be_any_value_but_none(value):
    scene = KeptScene(
        guard=lambda session: "who" in session, identity=lambda session: session["who"]
    )
    given = list(value) if isinstance(value, tuple) else value
    scene.browser.login({"who": given})
    assert (1, 1) == (
        len(scene.store.sessions_of({"who": given})),
        len(scene.store.sessions_of(given)),
    )
    assert 1 == scene.store.revoke_user(given)
    with pytest.raises(ValueError, match="the user names nobody"):
        scene.store.sessions_of(None)


def test_an_identity_that_cannot_be_printed_is_an_error_at_the_login():
    scene = KeptScene(identity=lambda session: object())
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    with pytest.raises(ConfigurationError, match="`identity` must return str"):
        visit.settle()


def test_expired_and_rotated_sessions_and_those_that_do_not_open_are_not_listed(scene):
    browser = sign_in(scene, 1)
    visit = browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    (record,) = [
        one
        for one in scene.backend.of(visit.exchange.server.current.owner)
        if one.key == visit.exchange.server.current.key
    ]
    scene.backend.insert(record._replace(key="0" * 32), START)
    assert [1] == [info.contents["n"] for info in scene.store.sessions_of(ALICE)]
    scene.clock.wait(DAY)
    assert [] == scene.store.sessions_of(ALICE)


def test_a_session_that_has_become_too_old_by_todays_settings_is_not_listed():
    long = KeptScene()
    long.browser.login()
    long.clock.wait(7200)
    short = KeptScene(long.backend, lifetime=Lifetime(idle=3600))
    short.clock.now = long.clock.now
    assert (1, 0) == (long.alive(), short.alive())


def test_a_handle_revokes_one_session_and_opens_nothing(scene):
    first, second = sign_in(scene, 1), sign_in(scene, 2)
    handle = scene.store.sessions_of(ALICE)[1].handle
    assert (True, False) == (scene.store.revoke(handle), scene.store.revoke(handle))
    assert ({}, 2) == (first.session(), second.session()["n"])


def test_a_session_info_in_the_place_of_its_handle_is_refused(scene):
    scene.browser.login(ALICE)
    info = scene.store.sessions_of(ALICE)[0]
    with pytest.raises(TypeError, match="info.handle"):
        scene.store.revoke(info)
    assert info.handle in [one.handle for one in scene.store.sessions_of(ALICE)]


def test_a_handle_follows_a_rotation(scene):
    browser = sign_in(scene, 1)
    (info,) = scene.store.sessions_of(ALICE)
    visit = browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    assert scene.store.revoke(info.handle) is True
    assert {} == browser.session()


@pytest.mark.parametrize("handle", MALFORMED, ids=repr)
def test_a_malformed_handle_is_no_session(scene, handle):
    assert scene.store.revoke(handle) is False


def test_an_expired_session_is_not_counted_as_revoked(scene):
    sign_in(scene, 1)
    handle = scene.store.sessions_of(ALICE)[0].handle
    scene.clock.wait(DAY)
    assert scene.store.revoke(handle) is False


def test_revoke_user_ends_every_session_and_counts_them(scene):
    browsers = [sign_in(scene, number) for number in range(3)]
    bob = sign_in(scene, 9, BOB)
    visit = browsers[0].visit()
    visit.exchange.rotate()
    visit.arrive()
    assert (3, 0) == (scene.store.revoke_user(ALICE), scene.store.revoke_user(ALICE))
    assert [{}, {}, {}] == [browser.session() for browser in browsers]
    assert 9 == bob.session()["n"]


def test_keep_current_keeps_the_session_of_the_request(scene):
    mine, other = sign_in(scene, 1), sign_in(scene, 2)
    with open_exchange(scene, mine):
        assert 1 == scene.store.revoke_user(ALICE, keep_current=True)
    assert (1, {}) == (mine.session()["n"], other.session())


def test_keep_current_without_a_request_keeps_nothing(scene):
    browser = sign_in(scene, 1)
    assert 1 == scene.store.revoke_user(ALICE, keep_current=True)
    assert {} == browser.session()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["rotate", "login"])
def test_keep_current_keeps_a_session_that_the_request_begins_or_rotates(scene, how, when):
    mine, other = sign_in(scene, 1), sign_in(scene, 2)

    def begin():
        if how == "rotate":
            rotate_session()
        else:
            create_session({**ALICE, "n": 1})

    with open_exchange(scene, mine) as exchange:
        if when == "before":
            begin()
        assert scene.store.revoke_user(ALICE, keep_current=True) >= 1
        if when == "after":
            begin()
    mine.jar.receive(value for name, value in exchange.response_headers if name == "Set-Cookie")
    assert (1, {}, 1) == (mine.session()["n"], other.session(), scene.alive())


def test_keep_current_does_not_save_a_session_that_was_revoked_before(scene):
    mine = sign_in(scene, 1)
    with open_exchange(scene, mine) as exchange:
        exchange.get()
        scene.store.revoke(scene.store.sessions_of(ALICE)[0].handle)
        scene.store.revoke_user(ALICE, keep_current=True)
        rotate_session()
    assert 0 == scene.alive()


def log_in():
    create_session({**ALICE, "n": 9})


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("order", [("login", "keep"), ("keep", "login"), ("rotate", "keep")])
def test_a_login_in_progress_does_not_slip_through_by_a_revocation_of_its_own(
    scene, order, signed_in
):
    # A site on which a user has one session: each login ends the others. Another request revokes while this one is served.
    mine = sign_in(scene, 1) if signed_in else scene.browser
    acts = {
        "login": log_in,
        "rotate": rotate_session,
        "keep": lambda: scene.store.revoke_user(ALICE, keep_current=True),
    }
    with open_exchange(scene, mine) as exchange:
        exchange.get()
        scene.clock.wait(1)
        scene.store.revoke_user(ALICE)
        scene.clock.wait(1)
        for act in order:
            acts[act]()
    assert 0 == scene.alive()


def test_a_login_that_ends_all_others_stays(scene):
    other = sign_in(scene, 1)
    with open_exchange(scene) as exchange:
        log_in()
        assert 1 == scene.store.revoke_user(ALICE, keep_current=True)
    scene.browser.jar.receive(
        value for name, value in exchange.response_headers if name == "Set-Cookie"
    )
    assert (9, {}, 1) == (scene.browser.session()["n"], other.session(), scene.alive())


def test_a_failed_response_takes_such_a_login_back(scene):
    def fail():
        with open_exchange(scene):
            log_in()
            scene.store.revoke_user(ALICE, keep_current=True)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert 0 == scene.alive()


def test_an_awaited_backend_keeps_such_a_login_and_refuses_one_that_was_revoked():
    clock = Clock()
    store = SessionStore(SECRET, clock=clock, backend=AwaitedMemory(clock=clock))

    async def visit(*, is_revoked):
        async with store.exchange():
            clock.wait(1)
            if is_revoked:
                await store.arevoke_user(ALICE)
                clock.wait(1)
            log_in()
            with pytest.raises(ConfigurationError, match="await the method with an `a`"):
                store.revoke_user(ALICE, keep_current=True)
            await store.arevoke_user(ALICE, keep_current=True)
        return [info.contents["n"] for info in await store.asessions_of(ALICE)]

    assert [9] == asyncio.run(visit(is_revoked=False))
    assert [] == asyncio.run(visit(is_revoked=True))


class SlowMemory(AwaitedMemory):
    """A backend that takes a moment, in which its caller may be cancelled."""

    async def of(self, owner):
        await asyncio.sleep(0)
        return await super().of(owner)

    async def delete(self, key, owner):
        await asyncio.sleep(0)
        return await super().delete(key, owner)

    async def revoke(self, owner, at, keep):
        await asyncio.sleep(0)
        if at < START:
            raise BackendError("down")
        return await super().revoke(owner, at, keep)


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("how", ["user", "session"])
def test_a_client_that_hangs_up_does_not_undo_a_revocation(how, steps):
    clock = Clock()
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def hang_up():
        async with store.exchange():
            log_in()
        clock.wait(1)
        (info,) = await store.asessions_of(ALICE)
        call = store.arevoke_user(ALICE) if how == "user" else store.arevoke(info.handle)
        task = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        for _ in range(9):
            await asyncio.sleep(0)
        return await store.asessions_of(ALICE)

    assert [] == asyncio.run(hang_up())


@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_revocation_that_fails_is_an_error_of_who_waits_for_it(hangs_up):
    clock, unheard = Clock(), []
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def revoke():
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
        clock.wait(-9)
        task = asyncio.ensure_future(store.arevoke_user(ALICE))
        await asyncio.sleep(0)
        if hangs_up:
            task.cancel()
        await asyncio.wait([task])
        for _ in range(9):
            await asyncio.sleep(0)
        return None if task.cancelled() else type(task.exception())

    assert (None if hangs_up else BackendError) is asyncio.run(revoke())
    gc.collect()
    assert [] == unheard


def test_a_revocation_ends_with_its_event_loop_at_the_latest():
    clock, unheard = Clock(), []
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def leave():
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
        task = asyncio.ensure_future(store.arevoke_user(ALICE))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    assert ([], set()) == (unheard, _ending)


def test_a_logout_after_keep_current_ends_the_session(scene):
    mine = sign_in(scene, 1)
    with open_exchange(scene, mine):
        scene.store.revoke_user(ALICE, keep_current=True)
        delete_session()
    assert 0 == scene.alive()


def test_purge_removes_expired_records_up_to_a_limit(scene):
    for number in range(3):
        sign_in(scene, number)
    assert 0 == scene.store.purge()
    scene.clock.wait(2 * DAY)
    assert (2, 1, 0) == (scene.store.purge(2), scene.store.purge(), scene.store.purge())


@pytest.mark.parametrize(
    ("limit", "error", "says"),
    [("5", TypeError, "not str"), (True, TypeError, "not bool"), (0, ValueError, "at least 1")],
)
def test_purge_says_what_a_limit_is(scene, limit, error, says):
    with pytest.raises(error, match=f"a limit is a whole number .*{says}"):
        scene.store.purge(limit)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.sessions_of(ALICE),
        lambda store: store.revoke("x"),
        lambda store: store.revoke_user(ALICE),
        lambda store: store.purge(),
    ],
)
def test_a_store_without_a_backend_says_what_to_give(call):
    with pytest.raises(ConfigurationError, match="give it a backend, such as backend=SQLite"):
        call(SessionStore(SECRET))


def test_a_verb_without_a_gateway_names_the_gateway_alone(scene):
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/"}
    with pytest.raises(NoActiveRequestError, match=r"install the middleware \(.*\)$"):
        scene.store.create_session(environ, ALICE)


def test_an_awaited_backend_is_asked_by_the_async_methods():
    clock = Clock()
    store = SessionStore(SECRET, clock=clock, backend=AwaitedMemory(clock=clock))

    async def everything():
        for _ in range(3):
            async with store.exchange() as exchange:
                create_session(ALICE)
            clock.wait(1)
        cookie = exchange.response_headers[0][1].partition(";")[0]
        assert 3 == len(await store.asessions_of(ALICE))
        async with store.exchange(cookie):
            assert await store.astill_valid() is True
            assert [True, False, False] == [
                info.is_current for info in await store.asessions_of(ALICE)
            ]
            handle = (await store.asessions_of(ALICE))[2].handle
            assert await store.arevoke(handle) is True
            assert 1 == await store.arevoke_user(ALICE, keep_current=True)
            assert await store.astill_valid() is True
            with pytest.raises(ConfigurationError, match="await the method with an `a`"):
                store.still_valid()
        assert 1 == await store.arevoke_user(ALICE)
        async with store.exchange(cookie):
            assert await store.astill_valid() is False
        clock.wait(2 * DAY)
        assert 0 == await store.apurge()

    asyncio.run(everything())
    with pytest.raises(
        ConfigurationError, match="AwaitedMemory is an async backend: await the method"
    ):
        store.sessions_of(ALICE)


def test_a_framework_and_a_script_know_the_same_user_by_the_same_sessions(scene):
    flask = Gateway(None, scene.store, framework=FrameworkKeys(login=("_user_id",))).settings
    store = scene.store.for_framework(FrameworkKeys(login=("_user_id",)))
    for contents in (ALICE, {**ALICE, "_user_id": "7"}, {"_user_id": "7", "_fresh": True}):
        with store.exchange() as exchange:
            exchange.create(contents)
    assert flask.login_keys == ("_user_id",)
    assert (2, 1) == (scene.alive(), len(scene.store.sessions_of({"_user_id": "7"})))
    assert 1 == len(store.sessions_of({"_user_id": "7", "_fresh": True}))
    assert 2 == store.revoke_user(ALICE)


def test_a_session_of_another_store_is_not_the_current_one(scene):
    other = SessionStore(SECRET, clock=scene.clock, cookie=CookieSettings(name="__Host-other"))
    sign_in(scene, 1)
    with other.exchange():
        assert [False] == [info.is_current for info in scene.store.sessions_of(ALICE)]


def test_no_request_at_all_is_needed_to_look_and_still_valid_needs_one(scene):
    with pytest.raises(NoActiveRequestError):
        scene.store.still_valid()


def test_a_backend_that_fails_is_an_error_of_every_method(scene, monkeypatch):
    def fail(*_):
        raise BackendError("the session backend is down")

    for name in ("of", "delete", "revoke", "purge"):
        monkeypatch.setattr(scene.backend, name, fail)
    handle = f"{'0' * 32}.{'0' * 32}"
    for call in (
        lambda: scene.store.sessions_of(ALICE),
        lambda: scene.store.revoke(handle),
        lambda: scene.store.revoke_user(ALICE),
        scene.store.purge,
    ):
        with pytest.raises(BackendError):
            call()
