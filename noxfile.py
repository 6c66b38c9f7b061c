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


DEFAULT = f"{sys.version_info.major}.{sys.version_info.minor}"


def installed() -> list[str]:
    """The supported Pythons of this machine; those under pyenv count, though only one of them is its default."""
    if shutil.which("pyenv"):
        found = subprocess.run(
            ["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True
        )
        own = [version for version in found.stdout.split() if version.rpartition(".")[0] in PYTHONS]
        own.sort(key=lambda version: (not version.startswith(f"{DEFAULT}."), version))
        os.environ["PYENV_VERSION"] = ":".join([*own, "system"])
    return [version for version in PYTHONS if _runs(f"python{version}")]


def _runs(python: str) -> bool:
    path = shutil.which(python)
    return (
        path is not None
        and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
    )


INSTALLED = installed()

ADAPTERS = sorted(path.parent.name for path in Path("adapters").glob("*/pyproject.toml"))


def project(adapter: str) -> dict:
    """The pyproject.toml of an adapter."""
    return nox.project.load_toml(f"adapters/{adapter}/pyproject.toml")


def python_of(adapter: str) -> str | None:
    """The Python that an adapter's newest framework needs (`tool.sessionkit.python`); None is that of nox."""
    return project(adapter).get("tool", {}).get("sessionkit", {}).get("python")


def oldest_of(adapter: str) -> list[str]:
    """The requirements of an adapter at the oldest version that each claims, and what else those need."""
    pinned = [
        one.replace(">=", "==")
        for one in project(adapter)["project"]["dependencies"]
        if ">=" in one
    ]
    return pinned + project(adapter).get("tool", {}).get("sessionkit", {}).get("with-oldest", [])


EACH_ADAPTER = nox.parametrize(
    "python,adapter", [nox.param(python_of(name), name, id=name) for name in ADAPTERS]
)


@nox.session
def demo(session: nox.Session) -> None:
    """The demo on this machine; arguments go to it: nox -s demo -- --port 9000."""
    session.install(".")
    session.run("python", "-m", "sessionkit", "demo", *session.posargs)


@nox.session(python=INSTALLED)
def tests(session: nox.Session) -> None:
    """The core's tests on every installed Python; with branch coverage and the properties on the default one."""
    session.install("-e", ".[speed]", *PYTEST, "coverage[toml]>=7.6")
    if session.python != DEFAULT:
        session.run("pytest", "tests/unit", *session.posargs)
        return
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
    """ruff, over everything: its rules, and its format."""
    session.install("ruff>=0.12")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """mypy and pyright, both strict, and every public name fully typed."""
    session.install("-e", ".[speed]", "mypy>=1.15", "pyright>=1.1.400")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "-p", "tests/typing")
    session.run("pyright", "--verifytypes", "sessionkit", "--ignoreexternal")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation: every example in it is run, then it is built. (A framework's page runs with its adapter.)"""
    session.install(
        "-e",
        ".[speed]",
        "sphinx>=8",
        "myst-parser>=4",
        "furo>=2024.8.6",
        "sybil>=9",
        "cherrypy",
        *PYTEST,
    )
    pages = [f"--ignore=docs/how-to/{name}.md" for name in ADAPTERS]
    session.run("pytest", "docs", "README.md", "SECURITY.md", "CONTRIBUTING.md", *pages)
    session.run("python", "docs/examples/script.py")
    session.run("python", "docs/examples/background_job.py")
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
@EACH_ADAPTER
def adapter(session: nox.Session, adapter: str) -> None:
    """An adapter on the newest version of its framework: its own tests, and the contract that all of them keep."""
    group = nox.project.dependency_groups(project(adapter), "test")
    session.install(
        "-e", ".", "-e", f"adapters/{adapter}", *PYTEST, "pip", "websockets", "sybil>=9", *group
    )
    if (Path("adapters") / adapter / "tests").exists():
        session.run("pytest", f"adapters/{adapter}/tests", *session.posargs)
    session.run("pytest", "tests/contract", "--app", *_apps(adapter))
    session.install("mypy>=1.15", "pyright>=1.1.400")
    session.run(
        "mypy", "--config-file", f"adapters/{adapter}/pyproject.toml", f"adapters/{adapter}/src"
    )
    session.run("pyright", "-p", f"adapters/{adapter}")


@nox.session
@EACH_ADAPTER
def oldest(session: nox.Session, adapter: str) -> None:
    """An adapter on the oldest version of its framework that it claims: the contract."""
    group = nox.project.dependency_groups(project(adapter), "test")
    session.install(
        "-e",
        ".",
        "-e",
        f"adapters/{adapter}",
        *PYTEST,
        "websockets",
        "sybil>=9",
        *group,
        *oldest_of(adapter),
    )
    session.run("pytest", "tests/contract", "--app", *_apps(adapter))


def _apps(adapter: str) -> list[str]:
    """The contract apps of an adapter: several where its framework has several gateways."""
    apps = project(adapter).get("tool", {}).get("sessionkit", {}).get("contract", [adapter])
    return [word for app in apps for word in ("--app", app)][1:]


@nox.session
def contract(session: nox.Session) -> None:
    """The contract that every adapter keeps, through raw WSGI, raw ASGI, and the adapter that the documentation writes."""
    session.install("-e", ".", *PYTEST, "websockets", "waitress", "uvicorn", "cherrypy", "sybil>=9")
    session.run(
        "pytest",
        "tests/contract",
        "--app",
        "wsgi",
        "--app",
        "asgi",
        "--app",
        "cherrypy",
        *session.posargs,
    )


@nox.session
def servers(session: nox.Session) -> None:
    """The gateways under gunicorn, waitress, uvicorn, hypercorn and granian."""
    session.install(
        "-e",
        ".",
        *PYTEST,
        "gunicorn",
        "waitress",
        "uvicorn",
        "httptools",
        "h11",
        "hypercorn",
        "granian",
    )
    session.run("pytest", "tests/servers", *session.posargs)


@nox.session
def importers(session: nox.Session) -> None:
    """Cookies of today's Flask, Starlette and Django, taken over."""
    session.install("-e", ".", *PYTEST, "flask", "starlette", "itsdangerous", "django", "httpx")
    session.run("pytest", "tests/importers", *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Sessions shared with the real JavaScript libraries under Node."""
    session.install("-e", ".", *PYTEST, "waitress")
    session.run("pytest", "tests/interop", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """A real Chromium, against the demo and against Flask and FastAPI on real servers."""
    session.install(
        "-e",
        ".",
        *PYTEST,
        "playwright",
        *_installed_adapters("flask", "fastapi"),
        "waitress",
        "uvicorn",
    )
    session.run("pytest", "tests/browser", *session.posargs)


def _installed_adapters(*names: str) -> list[str]:
    return [word for name in names if name in ADAPTERS for word in ("-e", f"adapters/{name}")]


@nox.session
def bench(session: nox.Session) -> None:
    """Load, save, update and renew against the peers, interleaved: nox -s bench -- --sizes 2000."""
    session.install("-e", ".[speed]", "flask", "starlette", "itsdangerous", "litestar")
    session.run("python", "tests/bench/bench.py", *session.posargs)
