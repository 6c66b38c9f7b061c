"""Pyramid's own tests of sessions, as they are, with every session in them made by sessionkit.

They are downloaded with the source distribution of the installed Pyramid, and are not part of this repository.
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
    folder = tmp_path_factory.mktemp("pyramid")
    wanted = f"pyramid=={version('pyramid')}"
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        "pyramid",
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


def run(sources: Path, *, with_sessionkit: bool) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failure` or `error`."""
    report = sources / "report.xml"
    plugin = ["-p", "pointed_at_sessionkit"] if with_sessionkit else []
    path = os.pathsep.join(
        (str(Path(__file__).with_name("own")), *filter(None, [os.environ.get("PYTHONPATH")]))
    )
    tests = [f"tests/test_session.py::{one}" for one in CLASSES]
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
        *tests,
    ]
    done = subprocess.run(
        command,
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
        found[f"{case.attrib['classname'].rpartition('.')[2]}::{case.attrib['name']}"] = became
    report.unlink()
    return found


def test_pyramids_own_tests_pass_but_for_the_exceptions(sources):
    found = run(sources, with_sessionkit=True)
    assert sorted(name for name, became in found.items() if became != "passed") == sorted(
        EXCEPTIONS
    )
    assert len(found) - len(EXCEPTIONS) >= 55


def test_all_of_them_pass_without_sessionkit(sources):
    assert set(run(sources, with_sessionkit=False).values()) == {"passed"}
