"""List, revoke and purge sessions on the server, and look again whether one is valid."""

import asyncio

import pytest

from sessionkit import (
    BackendError,
    ConfigurationError,
    CookieSettings,
    Lifetime,
    NoActiveRequestError,
    SessionStore,
    create_session,
)
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._requests.gateway import Gateway
from sessionkit.testing import session_cookies

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, BOB, SECRET, START, Clock
from .several_browsers import open_exchange, sign_in

DAY = 86_400
MALFORMED = ["", "x", "0" * 32, f"{'0' * 32}.{'0' * 31}", f"{'A' * 32}.{'0' * 32}", None, 7, b"x"]


@pytest.fixture
def scene():
    return KeptScene()


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
    with pytest.raises(ValueError, match="nobody is named"):
        scene.store.sessions_of(None)


@pytest.mark.parametrize("verb", ["sessions_of", "revoke_user"])
def test_a_guard_that_asks_for_more_than_the_user_does_not_hide_the_sessions(verb):
    scene = KeptScene(guard=lambda session: session.get("mfa") is True)
    scene.browser.login({**ALICE, "mfa": True})
    found = getattr(scene.store, verb)(ALICE)
    assert found == 1 if verb == "revoke_user" else len(found) == 1
    with pytest.raises(ValueError, match="give contents that name the user"):
        getattr(scene.store, verb)({"user": {}})


@pytest.mark.parametrize("given", [{"who": {"id": 7}}, {"id": 7}])
def test_nor_does_it_if_the_identity_is_the_applications_own(given):
    scene = KeptScene(
        guard=lambda session: session.get("mfa") is True, identity=lambda session: session["who"]
    )
    scene.browser.login({"who": {"id": 7}, "mfa": True})
    assert (1, 0) == (scene.store.revoke_user(given), scene.store.revoke_user({"who": None}))


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


@pytest.mark.parametrize("how", ["blocking", "awaited"])
def test_within_a_request_the_sessions_of_a_user_are_revoked_by_a_frameworks_keys(scene, how):
    contents = {"_user_id": "7", "_fresh": True}
    flask = scene.store.for_framework(FrameworkKeys(login=("_user_id",)))
    with flask.exchange() as exchange:
        exchange.create(contents)
    with scene.store.exchange() as exchange:
        exchange.serve_framework(flask.settings)
        if how == "blocking":
            assert 1 == scene.store.revoke_user(contents)
        else:
            assert 1 == asyncio.run(scene.store.arevoke_user(contents))
    assert [] == flask.sessions_of(contents)


def test_a_session_of_another_store_is_not_the_current_one(scene):
    other = SessionStore(SECRET, clock=scene.clock, cookie=CookieSettings(name="__Host-other"))
    sign_in(scene, 1)
    with other.exchange():
        assert [False] == [info.is_current for info in scene.store.sessions_of(ALICE)]


@pytest.mark.parametrize("how", ["blocking", "awaited"])
def test_a_store_beside_that_of_the_request_lists_the_sessions_of_a_user(scene, how):
    browser = sign_in(scene, 1)
    sign_in(scene, 2)
    beside = SessionStore(
        SECRET, clock=scene.clock, backend=scene.backend, lifetime=Lifetime(idle=DAY)
    )
    tenant = scene.store.for_audience("tenant")
    session_cookies(tenant, {**ALICE, "n": 3})

    def find(store):
        found = (
            store.sessions_of(ALICE)
            if how == "blocking"
            else asyncio.run(store.asessions_of(ALICE))
        )
        return {info.contents["n"]: info.is_current for info in found}

    with open_exchange(scene, browser):
        assert [{1: True, 2: False}, {3: False}] == [find(beside), find(tenant)]
    with scene.store.exchange():
        assert [{1: False, 2: False}, {3: False}] == [find(beside), find(tenant)]


@pytest.mark.parametrize("how", ["blocking", "awaited"])
def test_a_store_beside_that_of_the_request_revokes_the_sessions_of_a_user(scene, how):
    sign_in(scene, 1)
    beside = SessionStore(
        SECRET, clock=scene.clock, backend=scene.backend, lifetime=Lifetime(idle=DAY)
    )
    ended = []

    def app(environ, start_response):
        if how == "blocking":
            ended.append(beside.revoke_user(ALICE))
        else:
            ended.append(asyncio.run(beside.arevoke_user(ALICE)))
        start_response("200 OK", [])
        return []

    scene.store.wsgi(app)({}, lambda *_: None)
    assert [1] == ended


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
