"""Starlette's own session tests, as they are, with its middleware replaced by sessionkit's.

They are downloaded with the source distribution of the installed Starlette, and are not part of this repository.
"""

from __future__ import annotations

from pathlib import Path

import own_suite
import pytest

OWN = Path(__file__).with_name("own")
FILE = "tests/middleware/test_session.py"
EXCEPTIONS = {
    "test_session[{}]": "expects Max-Age to be max_age, on which the session is idle; our cookie lives as long as the session can (400 days)",
    "test_partitioned_session[{}-True]": "looks for `partitioned` in small letters; attributes have no case (RFC 6265 section 5.2)",
    "test_session_expires[{}]": "a max_age below zero is refused when the middleware is made",
    "test_session_zero_max_age[{}]": "a max_age of zero is refused when the middleware is made",
    "test_session_cookie_subpath[{}]": "looks for `path` in small letters",
    "test_domain_cookie[{}]": "looks for `domain` in small letters, and expects a leading dot, which means nothing (RFC 6265 section 5.2.3)",
}
"""What does not pass, and why, with each event loop."""
NAMES = {
    f"{FILE}::{name.format(loop)}": why for name, why in EXCEPTIONS.items() for loop in ("asyncio",)
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed Starlette."""
    return own_suite.unpack("starlette", tmp_path_factory.mktemp("starlette"))


def run(sources: Path, *arguments: str, with_sessionkit: bool = True) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failure` or `error`."""
    plugins = ["pointed_at_sessionkit"] if with_sessionkit else []
    found = own_suite.run(sources, "-k", "not trio", *arguments, path=[OWN], plugins=plugins)
    return {f"{one.file}::{one.name}": one.became for one in found}


def test_starlettes_own_session_tests_pass_but_for_the_exceptions(sources):
    found = run(sources, FILE)
    assert sorted(name for name, became in found.items() if became != "passed") == sorted(NAMES)
    assert sum(became == "passed" for became in found.values()) >= 9
    assert found[f"{FILE}::test_vary_cookie_on_access[asyncio]"] == "passed"


def test_what_fails_does_so_because_of_sessionkit(sources):
    found = run(sources, FILE, with_sessionkit=False)
    assert {found[name] for name in NAMES} == {"passed"}
