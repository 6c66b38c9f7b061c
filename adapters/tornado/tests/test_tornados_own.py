"""Tornado's own tests of handlers and cookies, which come with it, with a session in every handler. (It has none of sessions.)"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

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
    report = folder / "report.xml"
    plugin = ["-p", "pointed_at_sessionkit"] if with_sessionkit else []
    path = os.pathsep.join(
        (str(Path(__file__).with_name("own")), *filter(None, [os.environ.get("PYTHONPATH")]))
    )
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "as_tornado_runs_them",
        *plugin,
        f"--junitxml={report}",
        "-o",
        "junit_family=xunit1",
        "-W",
        "ignore",
    ]
    command = [sys.executable, "-m", "pytest", *options, "--pyargs", *FILES]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return {
        f"{case.attrib['classname']}::{case.attrib['name']}": next(
            (child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed"
        )
        for case in ET.parse(report).iter("testcase")
    }


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
