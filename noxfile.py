"""The one way to run anything: `nox -l` lists it all."""

from __future__ import annotations

import shutil

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True
nox.options.sessions = ["tests"]

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
INSTALLED = [version for version in PYTHONS if shutil.which(f"python{version}")]


@nox.session
def tests(session: nox.Session) -> None:
    """The core's tests."""
    session.install("-e", ".", "pytest", "hypothesis", "coverage[toml]")
    session.run("pytest", "tests/unit", *session.posargs)
