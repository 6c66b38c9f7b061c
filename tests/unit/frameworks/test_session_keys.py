"""Session keys: server code finds a session on the server by a key, in any process; a browser cannot."""

import asyncio

import pytest

from sessionkit import BackendError, SessionStore
from sessionkit.adapters import FrameworkKeys, SessionKeys
from sessionkit.backends import MemoryBackend

from ..backends.awaited import AwaitedMemory
from ..scene import SECRET, Browser, Clock

KEYS = FrameworkKeys(login=("_auth_user_id",))
ANN = {"_auth_user_id": "7"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    backend = MemoryBackend(clock=clock)
    return SessionStore(SECRET, backend=backend, clock=clock).for_framework(KEYS)


@pytest.fixture
def keys(store):
    return SessionKeys(store.settings)


def make_session(keys, contents):
    """The key of a new session."""
    exchange = keys.open(None)
    exchange.contents.update(contents)
    exchange.check()
    return keys.make(exchange)


def read(keys, key):
    return dict(keys.open(key).contents)


def test_a_key_has_forty_characters_that_are_safe_in_html_cookies_and_patterns(keys):
    made = [make_session(keys, {"n": n}) for n in range(50)]
    assert {len(key) for key in made} == {40}
    assert set("".join(made)).isdisjoint("%&;<>\"',\\ ")
    assert len({key.casefold() for key in made}) == 50


def test_a_session_of_server_code_is_found_by_its_key_though_it_is_anonymous(keys):
    assert read(keys, make_session(keys, {"cart": [1]})) == {"cart": [1]}


def test_a_session_opened_by_its_key_is_saved_and_keeps_the_key(keys):
    key = make_session(keys, ANN)
    exchange = keys.open(key)
    exchange.contents["a"] = 1
    exchange.check()
    assert keys.make(exchange) == key
    assert read(keys, key) == {**ANN, "a": 1}


def test_two_objects_of_one_session_are_merged(keys):
    key = make_session(keys, ANN)
    one, other = keys.open(key), keys.open(key)
    one.contents["a"], other.contents["b"] = 1, 2
    one.check()
    other.check()
    assert read(keys, key) == {**ANN, "a": 1, "b": 2}


def test_a_session_that_was_ended_meanwhile_is_not_revived(keys):
    key = make_session(keys, ANN)
    exchange = keys.open(key)
    exchange.contents["a"] = 1
    assert keys.run(keys.delete(key)) is True
    exchange.check()
    assert keys.make(exchange) is None
    assert keys.run(keys.exists(key)) is False


def test_a_rotated_session_has_another_key_and_the_earlier_one_finds_nothing(keys):
    key = make_session(keys, ANN)
    exchange = keys.open(key)
    assert exchange.rotate() is True
    exchange.check()
    assert read(keys, keys.make(exchange)) == ANN
    assert read(keys, key) == {}


def test_a_delete_by_the_key_from_before_a_rotation_ends_the_session_too(keys):
    key = make_session(keys, ANN)
    exchange = keys.open(key)
    exchange.rotate()
    exchange.check()
    assert keys.run(keys.delete(key)) is True
    assert keys.run(keys.exists(keys.make(exchange))) is False


def test_a_login_begins_another_session_and_ends_the_earlier_one(keys):
    key = make_session(keys, {"cart": [1]})
    exchange = keys.open(key)
    exchange.contents["_auth_user_id"] = "7"
    exchange.check()
    assert read(keys, key) == {}
    assert read(keys, keys.make(exchange)) == {"cart": [1], **ANN}


def test_a_session_has_its_key_before_it_is_saved_and_after(store, keys):
    with store.exchange() as exchange:
        exchange.create(ANN)
        before = keys.make(exchange)
        exchange.check()
        assert keys.make(exchange) == before
    assert read(keys, before) == ANN


def test_the_key_of_a_session_in_a_cookie_is_its_id_and_finds_nothing_elsewhere(store, keys):
    with store.exchange() as exchange:
        exchange.contents["cart"] = [1]
        key = keys.make(exchange)
        assert key == exchange.contents.stamp.id
    assert keys.is_key(key) is False
    assert read(keys, key) == {}


def test_without_a_session_there_is_no_key(store, keys):
    with store.exchange() as exchange:
        assert keys.make(exchange) is None


def test_the_session_that_a_browser_has_is_found_by_its_key(store, keys, clock):
    browser = Browser(store, clock)
    with store.exchange() as exchange:
        exchange.create(ANN)
        key = keys.make(exchange)
    browser.jar.receive([line for name, line in exchange.response_headers if name == "Set-Cookie"])
    server_code = keys.open(key)
    server_code.contents["note"] = "from a job"
    server_code.check()
    with store.exchange(browser.jar.header()) as exchange:
        assert dict(exchange.contents) == {**ANN, "note": "from a job"}
        assert keys.make(exchange) == key


@pytest.mark.parametrize("shape", ["__Host-session={}", "__Host-session={}; a=b"])
def test_a_client_cannot_present_a_key(store, keys, shape):
    with store.exchange(shape.format(make_session(keys, ANN))) as exchange:
        assert exchange.get() is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x" * 22,
        "x" * 39,
        "x" * 41,
        "x" * 40,
        "~" * 40,
        "%" * 40,
        " " * 40,
        "é" * 40,
        "\ud800" * 40,
    ],
)
def test_what_is_no_key_finds_nothing_and_raises_nothing(keys, text):
    assert read(keys, text) == {}
    assert keys.run(keys.exists(text)) is False
    assert keys.run(keys.delete(text)) is False


def test_a_key_that_differs_in_one_letters_case_finds_nothing(keys):
    key = make_session(keys, ANN)
    for index, letter in enumerate(key):
        if letter.isalpha():
            other = key[:index] + letter.swapcase() + key[index + 1 :]
            assert read(keys, other) == {}


def test_an_expired_session_does_not_exist(keys, clock):
    key = make_session(keys, ANN)
    clock.wait(86_400)
    assert keys.run(keys.exists(key)) is False
    assert read(keys, key) == {}


def test_a_key_of_another_audience_finds_nothing(store, keys):
    other = SessionKeys(store.for_audience("other").settings)
    assert keys.run(other.exists(make_session(keys, ANN))) is False


def test_a_revocation_ends_a_session_that_server_code_has_open(store, keys):
    key = make_session(keys, ANN)
    exchange = keys.open(key)
    exchange.contents["a"] = 1
    assert store.revoke_user(ANN) == 1
    exchange.check()
    assert keys.make(exchange) is None


def test_an_outage_is_an_error_of_whoever_asks(store):
    class Down(MemoryBackend):
        def load(self, key, owner):
            raise BackendError("the session backend is down")

    keys = SessionKeys(SessionStore(SECRET, backend=Down()).settings)
    exchange = keys.open("0" * 40)
    with pytest.raises(BackendError):
        _ = exchange.contents
    with pytest.raises(BackendError):
        keys.run(keys.exists("0" * 40))


def test_a_store_without_a_backend_points_to_nothing():
    with SessionStore(SECRET).exchange() as exchange:
        exchange.point_to("0" * 32, "0" * 32)
        assert exchange.get() is None
        assert exchange.name_record() is None


def test_an_awaited_backend_is_awaited(clock):
    async def scenario():
        keys = SessionKeys(
            SessionStore(SECRET, backend=AwaitedMemory(clock=clock), clock=clock).settings
        )
        return await keys.arun(keys.exists("0" * 40)), await keys.arun(keys.delete("0" * 40))

    assert asyncio.run(scenario()) == (False, False)
