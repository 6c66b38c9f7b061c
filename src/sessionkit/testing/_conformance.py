"""Make a class of tests from the cases. Every backend must pass them, and so must a backend of yours."""

from __future__ import annotations

import os
import unittest
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from ..backends import AnyBackend
from ._bench import Address, Bench, Rig
from ._cases import (
    deletes,
    failures,
    inserts,
    loads,
    owners,
    processes,
    purges,
    replaces,
    touches,
)

__all__ = ["backend_conformance"]

_MODULES = (loads, inserts, replaces, touches, deletes, owners, purges, failures, processes)

_OF_SERVERS = frozenset({64, 65})
_OF_PURGING = frozenset({61, 62})
_OF_FORKING = frozenset({66})


def backend_conformance(
    make: Callable[..., AnyBackend],
    *,
    make_second: Callable[..., AnyBackend] | None = None,
    make_at: Callable[..., AnyBackend] | None = None,
    server: Address | Callable[[], Address] | None = None,
    in_process: bool = False,
    expires_by_itself: bool = False,
) -> type:
    """Return a class of tests for a backend, blocking or async. Assign it to a name that pytest collects.

    For example `TestMyBackend = backend_conformance(lambda clock: MyBackend("…", clock=clock))`.

    Each test is a rule of the contract, with its number in the name and the rule in the docstring. The tests use random
    keys and owners, so the backend need not be empty; but nobody else may use it meanwhile, since expired records are
    purged and counted.

    Args:
        make: a function that makes the backend. It gets the clock of the test if it has a parameter `clock`, or one without a
            default. Without such a parameter, the tests that move the clock check less.
        make_second: a function that makes another client of the same data, likewise; by default the same object is used.
        make_at: a function that makes a backend for a server at another address. It gets a host, a port and the clock. The
            tests connect this backend to a server that is down, is silent, or cuts its reply (64 and 65).
        server: host and port of the real server, or a function that returns them; `make_at` reaches it through a proxy.
        in_process: declares that there is no server that could fail: 64 and 65 are left out. Without it and without
            `make_at` and `server`, they are reported as skipped.
        expires_by_itself: declares that the server removes expired records without `purge`: 61 and 62, which count
            what was purged, are left out.

    Returns:
        A class with a method for each case, such as `test_01_an_unknown_key_loads_none`.

    Raises:
        TypeError: `make_at` was given without `server`, or `in_process` with one of them.
    """
    if (make_at is None) is not (server is None) or (in_process and make_at is not None):
        raise TypeError(
            "give both make_at= and server=, so that the server can be made to fail; or, for a backend without a server,"
            " in_process=True"
        )
    rig = Rig(
        make=make,
        make_second=make_second,
        make_at=make_at or _skip,
        server=server if callable(server) else lambda: server or _skip(),
        can_fail=make_at is not None,
        expires_by_itself=expires_by_itself,
    )
    left_out: frozenset[int] = frozenset()
    if in_process:
        left_out |= _OF_SERVERS
    if expires_by_itself:
        left_out |= _OF_PURGING
    if not hasattr(os, "fork"):  # pragma: no cover - Windows
        left_out |= _OF_FORKING
    methods = {
        name: _make_test(case, rig)
        for name, case in sorted(_cases())
        if int(name[5:7]) not in left_out
    }
    return type("BackendConformance", (), {"__doc__": "The rules of a backend.", **methods})


def _skip(*_place: Any) -> NoReturn:
    raise unittest.SkipTest(
        "give make_at= and server= to test a server that fails; in_process=True if there is no server"
    )


def _cases() -> list[tuple[str, Callable[[Bench], None]]]:
    modules: tuple[ModuleType, ...] = _MODULES
    return [
        (name, case)
        for module in modules
        for name, case in vars(module).items()
        if name.startswith("test_")
    ]


def _make_test(case: Callable[[Bench], None], rig: Rig) -> Callable[[Any], None]:
    def test(self: object) -> None:
        bench = Bench(rig)
        try:
            case(bench)
        except AssertionError as error:
            error.args = (f"{case.__doc__}\n{error}",)
            raise
        except unittest.SkipTest:
            raise
        except Exception as error:
            raise AssertionError(
                f"{case.__doc__}\nthe backend raised {type(error).__name__}: {error}"
            ) from error
        finally:
            bench.close()

    test.__name__ = case.__name__
    test.__qualname__ = f"BackendConformance.{case.__name__}"
    test.__doc__ = case.__doc__
    return test
