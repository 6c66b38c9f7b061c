"""Pyramid's own tests of sessions, as they are, with every session in them made by sessionkit.

They are downloaded with the source distribution of the installed Pyramid, and are not part of this repository.
"""

from __future__ import annotations

from pathlib import Path

import own_suite
import pytest

OWN = Path(__file__).with_name("own")
CLASSES = ("TestBaseCookieSession", "TestSignedCookieSession")
"""The tests of sessions; the file's others are about decorators and a serializer that only Pyramid's own sessions use."""

BOTH = {
    "test_ctor_with_cookie_still_valid": "makes a cookie in Pyramid's wire format",
    "test_timeout_never": "makes a cookie in Pyramid's wire format",
    "test_reissue_triggered": "makes a cookie in Pyramid's wire format, and looks at the private _dirty",
    "test_reissue_not_triggered": "makes a cookie in Pyramid's wire format, and looks at the private _dirty",
    "test_reissue_never": "makes a cookie in Pyramid's wire format, and looks at the private _dirty",
    "test_reissue_str_triggered": "makes a cookie in Pyramid's wire format, and looks at the private _dirty",
    "test_changed": "looks at the private _dirty: our sessions notice changes themselves",
    "test__set_cookie_on_exception": "calls the private _set_cookie",
    "test__set_cookie_on_exception_no_request_exception": "calls the private _set_cookie",
    "test__set_cookie_cookieval_too_long": "calls the private _set_cookie",
    "test__set_cookie_real_webob_response": "calls the private _set_cookie",
    "test__set_cookie_options": "calls the private _set_cookie",
    "test_no_set_cookie_with_exception": "set_on_exception: with ours the response's status decides, 500 or more",
}
SIGNED = {
    "test_custom_salt": "makes a cookie in Pyramid's wire format",
    "test_custom_hashalg": "makes a cookie in Pyramid's wire format",
    "test_custom_serializer": "makes a cookie in Pyramid's wire format",
}
EXCEPTIONS = {
    **{f"{one}::{name}": why for one in CLASSES for name, why in BOTH.items()},
    **{f"{CLASSES[1]}::{name}": why for name, why in SIGNED.items()},
}
"""What does not pass, and why."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed Pyramid."""
    return own_suite.unpack("pyramid", tmp_path_factory.mktemp("pyramid"))


def run(sources: Path, *, with_sessionkit: bool) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failure` or `error`."""
    plugins = ["pointed_at_sessionkit"] if with_sessionkit else []
    tests = [f"tests/test_session.py::{one}" for one in CLASSES]
    found = own_suite.run(sources, *tests, path=[OWN], plugins=plugins)
    return {f"{one.classname.rpartition('.')[2]}::{one.name}": one.became for one in found}


def test_pyramids_own_tests_pass_but_for_the_exceptions(sources):
    found = run(sources, with_sessionkit=True)
    assert sorted(name for name, became in found.items() if became != "passed") == sorted(
        EXCEPTIONS
    )
    assert len(found) - len(EXCEPTIONS) >= 55


def test_all_of_them_pass_without_sessionkit(sources):
    assert set(run(sources, with_sessionkit=False).values()) == {"passed"}
