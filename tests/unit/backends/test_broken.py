"""Each case of the conformance suite refuses the backends that break its rule, and no sound one."""

from functools import cache

import pytest

from sessionkit.testing import backend_conformance

from . import broken, broken_clients, broken_others
from .plain import PlainBackend
from .remote import Server

__all__ = ["broken_others"]


@cache
def server():
    return Server()


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    server().close()


def two_clients(backend, **told):
    """The suite on two clients that share their data."""
    made = []

    def first(clock):
        made.append(backend(clock=clock))
        return made[-1]

    def second(clock):
        return backend(made.pop().shared, clock=clock)

    return backend_conformance(first, make_second=second, in_process=True, **told)


def suite(backend):
    if broken_clients.is_of_a_server(backend):
        address = server().server_address
        return backend_conformance(
            lambda: backend(*address),
            make_second=lambda: backend(*address),
            make_at=backend,
            server=address,
        )
    if issubclass(backend, PlainBackend):
        return two_clients(backend)
    return backend_conformance(backend, in_process=True)


def run(backend, number):
    tests = suite(backend)
    (name,) = (name for name in dir(tests) if name.startswith(f"test_{number:02}_"))
    getattr(tests(), name)()


TestPlainBackend = two_clients(PlainBackend)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
@pytest.mark.parametrize(
    ("number", "backend"),
    broken.BROKEN,
    ids=[f"{number:02}-{backend.__name__}" for number, backend in broken.BROKEN],
)
def test_the_case_refuses_the_broken_backend(number, backend):
    with pytest.raises(AssertionError):
        run(backend, number)
