"""The one way to run anything: `nox -l` lists it all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests"]

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
PYTEST = ["pytest>=8", "hypothesis>=6.100"]
ADAPTERS = sorted(path.parent.name for path in Path("adapters").glob("*/pyproject.toml"))


def installed() -> list[str]:
    """The supported Pythons of this machine; those under pyenv count, though only one of them is its default."""
    if shutil.which("pyenv"):
        found = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True)
        own = [version for version in found.stdout.split() if version.rpartition(".")[0] in PYTHONS]
        default = f"{sys.version_info.major}.{sys.version_info.minor}."
        own.sort(key=lambda version: (not version.startswith(default), version))
        os.environ["PYENV_VERSION"] = ":".join([*own, "system"])
    return [version for version in PYTHONS if _runs(f"python{version}")]


def _runs(python: str) -> bool:
    path = shutil.which(python)
    return path is not None and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


INSTALLED = installed()


@nox.session
def demo(session: nox.Session) -> None:
    """The demo on this machine; arguments go to it: nox -s demo -- --port 9000."""
    session.install(".")
    session.run("python", "-m", "sessionkit", "demo", *session.posargs)


@nox.session(python=INSTALLED)
def tests(session: nox.Session) -> None:
    """The core's tests with full branch coverage, and the properties, on every installed Python."""
    session.install("-e", ".[speed]", *PYTEST, "coverage[toml]>=7.6")
    session.run("coverage", "run", "-m", "pytest", "tests/unit", *session.posargs)
    session.run("coverage", "report")
    session.run("pytest", "tests/property", env={"HYPOTHESIS_PROFILE": "dev"})


@nox.session
def properties(session: nox.Session) -> None:
    """The properties at full length: 2,000 lives of a browser, 200,000 fuzzed headers."""
    session.install("-e", ".[speed]", *PYTEST)
    session.run("pytest", "tests/property", *session.posargs, env={"HYPOTHESIS_PROFILE": "ci"})


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, over everything."""
    session.install("ruff>=0.12")
    session.run("ruff", "check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """mypy and pyright, both strict, and every public name fully typed."""
    session.install("-e", ".[speed]", "mypy>=1.15", "pyright>=1.1.400")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "sessionkit", "--ignoreexternal")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation; every example in it has been run by the tests."""
    session.install("-e", ".", "sphinx>=8", "myst-parser>=4", "furo>=2024.8.6")
    session.run("sphinx-build", "-W", "-n", "-b", "html", "docs", "docs/_build/html")


@nox.session
def package(session: nox.Session) -> None:
    """The built wheel, alone in an empty environment."""
    session.install("build")
    out = session.create_tmp()
    session.run("python", "-m", "build", "--outdir", out, ".")
    (wheel,) = Path(out).glob("*.whl")
    session.run("python", "-m", "venv", "--clear", f"{out}/alone")
    python = f"{out}/alone/bin/python"
    session.run(python, "-m", "pip", "install", "-q", str(wheel), external=True)
    session.run(python, "-I", "-m", "sessionkit", "demo", "--check", external=True)
    session.run(python, "-m", "pip", "check", external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Load, save, update and renew against the peers, interleaved: nox -s bench -- --sizes 2000."""
    session.install("-e", ".[speed]", "flask", "starlette", "itsdangerous", "litestar")
    session.run("python", "tests/bench/bench.py", *session.posargs)
