"""Starlette's own session tests, as they are, with its middleware replaced by sessionkit's.

They are downloaded with the source distribution of the installed Starlette, and are not part of this repository.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

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
    folder = tmp_path_factory.mktemp("starlette")
    wanted = f"starlette=={version('starlette')}"
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        "starlette",
        "--dest",
        str(folder),
        wanted,
    ]
    done = subprocess.run(download, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(one for one in folder.iterdir() if one.is_dir())


def run(sources: Path, *arguments: str, with_sessionkit: bool = True) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failure` or `error`."""
    report = sources / "report.xml"
    plugin = ["-p", "pointed_at_sessionkit"] if with_sessionkit else []
    path = os.pathsep.join(
        (str(Path(__file__).with_name("own")), *filter(None, [os.environ.get("PYTHONPATH")]))
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *plugin,
        f"--junitxml={report}",
        "-o",
        "junit_family=xunit1",
        "-k",
        "not trio",
    ]
    done = subprocess.run(
        [*command, *arguments],
        cwd=sources,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        became = next(
            (child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed"
        )
        found[f"{case.attrib['file']}::{case.attrib['name']}"] = became
    report.unlink()
    return found


def test_starlettes_own_session_tests_pass_but_for_the_exceptions(sources):
    found = run(sources, FILE)
    assert sorted(name for name, became in found.items() if became != "passed") == sorted(NAMES)
    assert sum(became == "passed" for became in found.values()) >= 9
    assert found[f"{FILE}::test_vary_cookie_on_access[asyncio]"] == "passed"


def test_what_fails_does_so_because_of_sessionkit(sources):
    found = run(sources, FILE, with_sessionkit=False)
    assert {found[name] for name in NAMES} == {"passed"}
