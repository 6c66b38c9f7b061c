"""Run the tests of packages that build on sessions: over the framework's own session, and over sessionkit.

A package is a module in `tables` with a `SUITE`. Its tests come with its source distribution, in the version that is pinned.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import own_suite

PINS = Path(__file__).parents[1] / "requirements/ecosystem.txt"
PLUGINS = Path(__file__).with_name("plugins")

FRAMEWORK, COOKIE, BACKEND = "framework", "cookie", "backend"
"""Where a run keeps the sessions: as the framework does, in our cookies, or in a backend of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The tests of one package.

    Args:
        distribution: the name of the package; its version is the one that `nox -s pins` has pinned.
        plugin: a module in `plugins`, which pytest loads; with the variable `SESSIONS` equal to `cookie` or `backend`, it puts
            sessionkit into the place of the framework's own session.
        passes: how many tests pass over the framework's own session.
        tests: what pytest runs, as its arguments.
        variables: for the environment.
        differences: the tests that pass over the framework's own session and fail over ours, each with its reason, for
            `cookie` and, if the tests are to run with a backend too, for `backend`.
    """

    distribution: str
    plugin: str
    passes: int
    tests: tuple[str, ...] = ("tests",)
    variables: Mapping[str, str] = field(default_factory=dict)
    differences: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {COOKIE: {}})

    def run(self, folder: Path, sessions: str) -> dict[str, str]:
        """Run the tests and return the outcome of each: `passed`, `skipped`, `failure` or `error`.

        Args:
            folder: the unpacked source distribution.
            sessions: where the sessions are kept.
        """
        outcomes = own_suite.run(
            folder,
            *("-o", "addopts=", "-W", "default"),
            *self.tests,
            path=[PLUGINS],
            plugins=[self.plugin],
            variables={"SESSIONS": sessions, **self.variables},
        )
        return {f"{one.classname}::{one.name}": one.became for one in outcomes}


def passed(outcomes: Mapping[str, str]) -> set[str]:
    """Return the names of the tests that passed."""
    return {name for name, became in outcomes.items() if became == "passed"}


def fetch(distributions: Iterable[str], folder: Path) -> dict[str, Path]:
    """Download the pinned source distributions, check their hashes, and unpack them.

    Args:
        distributions: their names.
        folder: an empty folder.

    Returns:
        The unpacked folder of each.
    """
    wanted = sorted(distributions)
    blocks = re.findall(r"^\S.*(?:\n    .*)*", PINS.read_text(), re.MULTILINE)
    asked = folder / "asked.txt"
    asked.write_text("\n".join(one for one in blocks if one.partition("==")[0] in wanted) + "\n")
    # Without isolation: pip asks a build backend for the metadata, and would install it for each of them.
    command = (
        *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--no-binary", ",".join(wanted)),
        *("--require-hashes", "-r", str(asked), "--dest", str(folder)),
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for archive in folder.glob("*.tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    unpacked = {_name(one.name): one for one in folder.iterdir() if one.is_dir()}
    return {name: unpacked[name] for name in wanted}


def _name(folder: str) -> str:
    """Return the normalized name of a distribution from the name of its unpacked folder."""
    return re.sub(r"[-_.]+", "-", folder.rpartition("-")[0]).lower()
