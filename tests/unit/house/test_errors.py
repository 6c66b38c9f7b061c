import inspect
import pickle

import pytest

import sessionkit
from sessionkit import SessionStore, errors
from sessionkit.backends import MemoryBackend

BUILTINS = {
    "ConfigurationError": ValueError,
    "NoActiveRequestError": LookupError,
    "ResponseStartedError": RuntimeError,
    "SessionTooLargeError": ValueError,
    "SerializationError": TypeError,
    "IdentityChangedError": RuntimeError,
    "BackendError": RuntimeError,
    "ConflictError": RuntimeError,
}


@pytest.mark.parametrize(("name", "builtin"), BUILTINS.items())
def test_every_error_is_a_sessionkit_error_and_the_builtin_that_fits_it(name, builtin):
    assert issubclass(getattr(errors, name), (errors.SessionKitError,))
    assert issubclass(getattr(errors, name), (builtin,))


def test_the_tree_holds_these_errors_and_no_other():
    found = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert {*BUILTINS, "SessionKitError"} == found == set(errors.__all__)


def _too_late():
    with STORE.exchange() as exchange:
        pass
    exchange.delete()


def _somebody_else():
    with STORE.exchange() as exchange:
        exchange.create({"user": {"sub": "ada"}})["user"] = {"sub": "bob"}


def _too_large():
    with STORE.exchange() as exchange:
        exchange.create({"user": {"sub": "ada"}, "large": "x" * 9000})


def _no_json():
    with STORE.exchange() as exchange:
        exchange.create({"user": {"sub": "ada"}, "set": set()})


class Down(MemoryBackend):
    def insert(self, record, since):
        raise errors.BackendError("the session backend cannot be reached")


def _backend_is_down():
    with SessionStore("0f1e2d3c4b5a69788796a5b4c3d2e1f0", backend=Down()).exchange() as exchange:
        exchange.create({"user": {"sub": "ada"}})


def _two_users_claims():
    store = SessionStore("0f1e2d3c4b5a69788796a5b4c3d2e1f0", backend=MemoryBackend())
    with store.exchange() as exchange:
        exchange.create({"user": {"sub": "ada"}})
    pair = exchange.response_headers[0][1].partition(";")[0]
    with store.exchange(pair) as outer:
        outer.get()["user"]["name"] = "A"
        with store.exchange(pair) as inner:
            inner.get()["user"]["name"] = "B"


STORE = SessionStore("0f1e2d3c4b5a69788796a5b4c3d2e1f0")
RAISED = {
    "ConfigurationError": lambda: SessionStore("short"),
    "NoActiveRequestError": STORE.get_session,
    "ResponseStartedError": _too_late,
    "SessionTooLargeError": _too_large,
    "SerializationError": _no_json,
    "IdentityChangedError": _somebody_else,
    "BackendError": _backend_is_down,
    "ConflictError": _two_users_claims,
}


@pytest.mark.parametrize("name", RAISED)
def test_each_error_that_is_exported_is_raised_somewhere(name):
    with pytest.raises(getattr(sessionkit, name)) as raised:
        RAISED[name]()
    assert type(raised.value).__name__ == name


def test_an_error_pickles_with_its_message():
    assert str(pickle.loads(pickle.dumps(errors.SessionTooLargeError("too large")))) == "too large"
