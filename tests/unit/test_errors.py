import inspect
import pickle

import pytest

from sessionkit import errors

BUILTINS = {
    "ConfigurationError": ValueError,
    "NoActiveRequestError": LookupError,
    "ResponseStartedError": RuntimeError,
    "SessionTooLargeError": ValueError,
    "SerializationError": TypeError,
    "IdentityChangedError": RuntimeError,
    "BackendError": RuntimeError,
    "ConflictError": errors.BackendError,
}


@pytest.mark.parametrize(("name", "builtin"), BUILTINS.items())
def test_every_error_is_a_sessionkit_error_and_the_builtin_that_fits_it(name, builtin):
    assert issubclass(getattr(errors, name), (errors.SessionKitError,))
    assert issubclass(getattr(errors, name), (builtin,))


def test_the_tree_holds_these_errors_and_no_other():
    found = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert {*BUILTINS, "SessionKitError"} == found == set(errors.__all__)


def test_an_error_pickles_with_its_message():
    assert str(pickle.loads(pickle.dumps(errors.SessionTooLargeError("too large")))) == "too large"
