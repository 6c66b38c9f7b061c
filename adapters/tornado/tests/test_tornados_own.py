"""Tornado's own tests of handlers and cookies, which come with it, with a session in every handler. (It has none of sessions.)"""

from __future__ import annotations

from pathlib import Path

import own_suite

OWN = Path(__file__).with_name("own")
FILES = ["tornado.test.web_test", "tornado.test.httpserver_test"]

VARY = "expects of Vary no more than it has set itself; a response that looked at the session adds Cookie"
EXCEPTIONS = {
    ".GzipTestCase::test_gzip": VARY,
    ".GzipTestCase::test_gzip_not_requested": VARY,
    ".GzipTestCase::test_vary_already_present": VARY,
}
"""What does not pass, and why."""


def run(folder: Path, *, with_sessionkit: bool) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failure` or `error`."""
    plugins = ["as_tornado_runs_them", *(["pointed_at_sessionkit"] if with_sessionkit else [])]
    options = ("-W", "ignore", "--pyargs")
    found = own_suite.run(folder, *options, *FILES, path=[OWN], plugins=plugins)
    return {f"{one.classname}::{one.name}": one.became for one in found}


def test_tornados_own_tests_pass_with_a_session_in_every_handler(tmp_path):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    found, usual = (
        run(tmp_path / "with", with_sessionkit=True),
        run(tmp_path / "without", with_sessionkit=False),
    )
    assert {name for name, became in found.items() if became != usual[name]} == EXCEPTIONS.keys()
    assert found.keys() == usual.keys()
    assert sum(became == "passed" for name, became in found.items() if ".CookieTest::" in name) > 10
    assert sum(became == "passed" for became in found.values()) > 250
