"""Other projects' own tests, as they are, run in a process of their own: what an adapter's tests point at sessionkit.

They are downloaded with a source distribution, and are not part of this repository.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a test: `passed`, `skipped`, `failure` or `error`."""

    file: str
    classname: str
    name: str
    became: str


def unpack(distribution: str, folder: Path, *, of: str | None = None) -> Path:
    """Download a source distribution and return its unpacked folder; the version is `of`, or that which is installed."""
    wanted = f"{distribution}=={of or version(distribution)}"
    download = (
        *(sys.executable, "-m", "pip", "download", "-q"),
        *("--no-deps", "--no-binary", distribution, "--dest", str(folder)),
    )
    done = subprocess.run(
        [*download, wanted], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(one for one in folder.iterdir() if one.is_dir())


def environment(path: Sequence[Path]) -> dict[str, str]:
    """Return this process's environment with these folders first on the path of modules."""
    folders = [*map(str, path), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}


def run(
    folder: Path,
    *arguments: str,
    path: Sequence[Path] = (),
    plugins: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Run pytest in a folder.

    Args:
        folder: where it runs.
        arguments: for pytest.
        path: folders that come first on the path of modules.
        plugins: modules there that are pytest plugins.
        variables: for the environment of the process.
    """
    report = folder / "report.xml"
    options = (
        *("-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-o", "junit_family=xunit1"),
        *(word for plugin in plugins for word in ("-p", plugin)),
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=folder,
        env={**environment(path), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found = [
        Outcome(
            file=case.attrib["file"],
            classname=case.attrib["classname"],
            name=case.attrib["name"],
            became=next(
                (one.tag for one in case if one.tag in ("failure", "error", "skipped")), "passed"
            ),
        )
        for case in ET.parse(report).iter("testcase")
    ]
    report.unlink()
    return found
