"""Flask's own tests, as they are, with every application in them served by sessionkit.

They are downloaded with the source distribution of the installed Flask, and are not part of this repository.
"""

from __future__ import annotations

from pathlib import Path

import own_suite
import pytest

OWN = Path(__file__).with_name("own")
EXCEPTIONS = {
    "tests/test_basic.py::test_session_using_session_settings": "expects a cookie to be cleared that did not come",
    "tests/test_basic.py::test_session_using_samesite_attribute": "expects no SameSite where none is set; ours is Lax then",
    "tests/test_basic.py::test_session_expiration": "parses Expires; we send Max-Age, which wins over it (RFC 6265 section 5.3)",
    "tests/test_basic.py::test_session_cookie_setting": "expects the whole cookie anew in every response; our renewal is a cookie of its own, at most once a minute",
    "tests/test_basic.py::test_session_refresh_vary": "expects a renewal by a request that does not look at the session",
    "tests/test_basic.py::test_app_freed_on_zero_refcount": "a middleware in app.wsgi_app refers to the app: the garbage collector frees it",
    "tests/test_reqctx.py::test_session_dynamic_cookie_name": "tests a session interface of its own, which the plugin replaces",
    "tests/test_helpers.py::TestStreaming::test_async_view": "keeps contexts in the test client across a response that streams from an async view: "
    "the gateway runs each request in a context of its own",
}
"""What does not pass, and why."""

FAILING_ANYWAY = {
    "tests/test_reqctx.py::test_bad_environ_raises_bad_request": "fails without sessionkit too, with a newer Werkzeug",
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed Flask."""
    return own_suite.unpack("flask", tmp_path_factory.mktemp("flask"))


def run(sources: Path, *arguments: str, with_sessionkit: bool = True) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failure` or `error`."""
    plugins = ["pointed_at_sessionkit"] if with_sessionkit else []
    found: dict[str, str] = {}
    for one in own_suite.run(sources, *arguments, path=[OWN], plugins=plugins):
        classes = one.classname.split(".")
        within = classes[classes.index(Path(one.file).stem) + 1 :]
        found["::".join([one.file, *within, one.name])] = one.became
    return found


def became(found: dict[str, str], name: str) -> set[str]:
    """What became of a test, with each of its parameters."""
    return {outcome for test, outcome in found.items() if test.partition("[")[0] == name}


def test_flasks_own_tests_pass(sources):
    known = {**EXCEPTIONS, **FAILING_ANYWAY}
    found = run(sources, "tests", *(f"--deselect={name}" for name in known))
    assert [name for name, outcome in found.items() if outcome in ("failure", "error")] == []
    assert sum(outcome == "passed" for outcome in found.values()) > 400
    assert found["tests/test_session_interface.py::test_open_session_with_endpoint"] == "passed"
    assert found["tests/test_testing.py::test_session_transactions"] == "passed"


def test_an_exception_is_one(sources):
    found = run(sources, *EXCEPTIONS)
    failed = {name for name in EXCEPTIONS if became(found, name) & {"failure", "error"}}
    assert EXCEPTIONS.keys() - failed == set(), "these pass: take them off the list"


def test_what_fails_does_so_because_of_sessionkit(sources):
    found = run(sources, *EXCEPTIONS, with_sessionkit=False)
    assert [name for name in EXCEPTIONS if became(found, name) != {"passed"}] == []


@pytest.mark.parametrize("name", FAILING_ANYWAY)
def test_what_fails_anyway_does_not_fail_because_of_sessionkit(sources, name):
    assert run(sources, name) == run(sources, name, with_sessionkit=False)
