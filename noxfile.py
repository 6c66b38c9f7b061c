"""Run tests and tools: `nox -l` lists the sessions. Arguments after `--` go to the tool that a session runs."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests"]

# With this variable, each process would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
DEFAULT = f"{sys.version_info.major}.{sys.version_info.minor}"

PROJECT = nox.project.load_toml("pyproject.toml")
ADAPTERS = sorted(path.parent.name for path in Path("adapters").glob("*/pyproject.toml"))

PINS = Path("tests/requirements")
"""The versions of tools and test dependencies, with their hashes: a file for each dependency group of pyproject.toml.

Frameworks are not in them: an adapter is tested with the newest version of its framework and with the oldest that it
claims. What an adapter's tests need beside the framework is in `adapters/<name>/tests/requirements.txt`.
"""
PINNED = [
    "backends",
    "browser",
    "contract",
    "docs",
    "ecosystem",
    "lint",
    "nox",
    "release",
    "servers",
    "test",
    "typing",
    "uv",
]
WITHOUT_THE_CORE = {"lint", "nox", "release", "uv"}

GUIDES = [
    "a2wsgi",
    "celery",
    "channels[daphne]",
    "django-cors-headers",
    "flask-cors",
    "flask-wtf",
    "httpx2",
    "mangum",
    "python-fasthtml",
]
"""What the how-to pages about several frameworks need beside these; the newest versions, as of the frameworks."""

SIGN_IN = sorted(Path("docs/how-to").glob("sign-in-with-openid-*.md"))
"""The pages about OpenID providers, one for each framework: the session `openid` runs them."""

OPENID = ["authlib", "requests", "httpx2", "python-multipart"]
"""What these pages need beside their frameworks; the newest versions, as of the frameworks."""

THOROUGH = [
    "tests/unit/backends/test_broken.py",
    "tests/unit/exchange/test_ends.py",
    "tests/unit/exchange/test_hidden_sessions.py",
    "tests/unit/exchange/test_interleavings.py",
    "tests/unit/exchange/test_scopes.py",
    "tests/unit/house/test_imports.py",
]
"""Long tests that no version of Python or of a dependency changes: `unit` runs them on the default Python only."""


def installed() -> list[str]:
    """Return the supported Pythons of this machine: those on the path, and those of pyenv, whether active or not."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    own = [path.name for path in root.glob("versions/3.*") if (path / "bin/python").exists()]
    own = [version for version in own if version.rpartition(".")[0] in PYTHONS]
    if own:  # pyenv's `python3.12` finds the versions that are active
        own.sort(key=lambda version: (not version.startswith(f"{DEFAULT}."), version))
        os.environ["PYENV_VERSION"] = ":".join([*own, "system"])
    return [version for version in PYTHONS if _runs(version, own, root / "shims")]


def _runs(version: str, of_pyenv: list[str], shims: Path) -> bool:
    path = shutil.which(f"python{version}")
    if path is None or Path(path).parent != shims:
        return path is not None
    return any(one.startswith(f"{version}.") for one in of_pyenv)


INSTALLED = installed()


def project(adapter: str) -> dict:
    """Return the pyproject.toml of an adapter."""
    return nox.project.load_toml(f"adapters/{adapter}/pyproject.toml")


def settings(adapter: str) -> dict:
    """Return what an adapter's pyproject.toml tells this file (`tool.sessionkit`)."""
    return project(adapter).get("tool", {}).get("sessionkit", {})


def frameworks(adapter: str) -> list[str]:
    """Return an adapter's requirements beside the core."""
    needed = project(adapter)["project"]["dependencies"]
    return [one for one in needed if not one.startswith("sessionkit-core")]


def oldest_of(requirements: list[str]) -> list[str]:
    """Return requirements at the oldest version that each allows."""
    return [one.replace(">=", "==") for one in requirements]


EACH_ADAPTER = nox.parametrize(
    "python,adapter",
    [nox.param(settings(name).get("python"), name, id=name) for name in ADAPTERS],
)


# ---- installing


def pinned(session: nox.Session, group: str) -> None:
    """Install the pinned versions of a dependency group; also the core from its sources, unless the group has only tools."""
    session.install("--require-hashes", "-r", str(PINS / f"{group}.txt"))
    if group not in WITHOUT_THE_CORE:
        sources(session, ".")


def sources(session: nox.Session, *folders: str) -> None:
    """Install distributions of this repository from their sources; their dependencies and hatchling must be installed."""
    editable = [word for folder in folders for word in ("-e", folder)]
    session.install("--no-deps", "--no-build-isolation", *editable)


def adapter_with_its_tests(session: nox.Session, adapter: str, versions: list[str]) -> None:
    """Install an adapter from its sources, the given versions of its framework, and the pinned dependencies of its tests."""
    pinned(session, "contract")
    own = Path("adapters") / adapter / "tests/requirements.txt"
    session.install("--require-hashes", "--no-deps", "-r", str(own))
    sources(session, f"adapters/{adapter}")
    session.install(*versions, *nox.project.dependency_groups(project(adapter), "test"))


# ---- every day


@nox.session
def demo(session: nox.Session) -> None:
    """Start the demo on this machine: nox -s demo -- --port 9000."""
    session.install(".")
    session.run("python", "-m", "sessionkit", "demo", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the core's tests side by side: the session `unit` on every installed Python, and short property tests."""
    names = [f"unit-{version}" for version in sorted(INSTALLED, key=lambda one: one != DEFAULT)]
    if not session.posargs:  # they choose among the unit tests
        names.append("properties")
    cores = os.cpu_count() or 1
    # One process for each session costs less than pytest-xdist, which pays where there are more cores than sessions.
    workers = round(cores / len(names))
    env = {
        "HYPOTHESIS_PROFILE": "dev",
        "PYTEST_XDIST_AUTO_NUM_WORKERS": str(workers if workers > 1 else 0),
    }

    def run(name: str) -> None:
        """Run a session, and print what it wrote when it ends; nox prints it if the session fails."""
        command = (sys.executable, "-m", "nox", "-s", name, "--", *session.posargs)
        print(session.run(*command, env=env, silent=True), flush=True)

    with ThreadPoolExecutor(cores) as pool:  # the longest begins first
        runs = {name: pool.submit(run, name) for name in names}
    failed = [name for name, one in runs.items() if one.exception()]
    if failed:
        session.error(f"failed: {', '.join(failed)}")


@nox.session(python=INSTALLED)
def unit(session: nox.Session) -> None:
    """Run the core's unit tests on one Python; on the default one all of them, and their branch coverage must be 100 %."""
    pinned(session, "test")
    options = ["-n", "auto", "--dist", "worksteal"]
    if session.python != DEFAULT:
        options += [f"--ignore={path}" for path in THOROUGH]
    elif not session.posargs:
        options += ["--cov", "--cov-report", "term-missing:skip-covered"]
    session.run("pytest", "tests/unit", *options, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check everything with ruff: its rules and its format."""
    pinned(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Run mypy and pyright, both strict, and check that every public name has a complete type."""
    pinned(session, "typing")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "-p", "tests/typing")
    session.run("pyright", "--verifytypes", "sessionkit", "--ignoreexternal")
    with_frameworks = [*(f"docs/how-to/{name}.md" for name in ADAPTERS), *guides_of_frameworks()]
    pages = [str(page) for page in sorted(Path("docs").glob("*/*.md"))]
    check_examples(session, "README.md", *(page for page in pages if page not in with_frameworks))


def check_examples(session: nox.Session, *pages: str) -> None:
    """Run mypy on the Python examples of pages, as users have them before them."""
    folder = Path(session.create_tmp(), "examples")
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "tests/typing/examples/write.py", str(folder), *pages)
    session.run("mypy", "--config-file", "tests/typing/examples/mypy.ini", str(folder))


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples of the documentation, build it, ask its search. (`adapter`, `guides` and `openid` run other pages.)"""
    pinned(session, "docs")
    own = [f"docs/how-to/{name}.md" for name in ADAPTERS]
    elsewhere = [*own, *guides_of_frameworks(), *SIGN_IN]
    left_out = [f"--ignore={page}" for page in elsewhere]
    session.run("pytest", "docs", "README.md", "SECURITY.md", "CONTRIBUTING.md", *left_out)
    session.run("python", "docs/examples/script.py")
    session.run("python", "docs/examples/background_job.py")
    session.run("sphinx-build", "-W", "-n", "-b", "html", "docs", "docs/_build/html")
    session.run("pytest", "docs/check_search.py")


@nox.session
def guides(session: nox.Session) -> None:
    """Run the how-to pages whose examples need frameworks, each page in a process of its own."""
    pinned(session, "contract")
    pages = guides_of_frameworks()
    used = sorted({name for imported in pages.values() for name in imported})
    sources(session, *(f"adapters/{name}" for name in used))
    session.install(*(one for name in used for one in frameworks(name)), *GUIDES)
    for page in session.posargs or pages:
        session.run("pytest", "-q", page)


def guides_of_frameworks() -> dict[str, set[str]]:
    """Return the how-to pages that import frameworks or their adapters, with the names of these; not the adapters' own pages."""
    imports = re.compile(
        rf"^ *(?:from|import) (?:sessionkit_)?({'|'.join(ADAPTERS)})\b", re.MULTILINE
    )
    pages = [page for page in Path("docs/how-to").glob("*.md") if page.stem not in ADAPTERS]
    pages = [page for page in pages if page not in SIGN_IN]
    found = {str(page): set(imports.findall(page.read_text())) for page in sorted(pages)}
    return {page: names for page, names in found.items() if names}


# ---- the core, further


@nox.session
def properties(session: nox.Session) -> None:
    """Run the property tests at full length (2,000 lives of a browser, 200,000 fuzzed headers), or as HYPOTHESIS_PROFILE says."""
    pinned(session, "test")
    profile = os.environ.get("HYPOTHESIS_PROFILE", "ci")
    session.run("pytest", "tests/property", *session.posargs, env={"HYPOTHESIS_PROFILE": profile})


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run the core's tests on the oldest Python, with the lowest supported version of each dependency."""
    pinned(session, "test")
    extras = PROJECT["project"]["optional-dependencies"]
    lowest = oldest_of([*PROJECT["project"]["dependencies"], *extras["speed"]])
    session.install(*lowest, "pydantic")  # the newest pydantic that works with these
    left_out = [f"--ignore={path}" for path in THOROUGH]
    session.run("pytest", "tests/unit", *left_out, *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Run the contract suite through raw WSGI, raw ASGI, and the adapter that the documentation writes."""
    pinned(session, "contract")
    apps = ["--app", "wsgi", "--app", "asgi", "--app", "cherrypy"]
    session.run("pytest", "tests/contract", *apps, *session.posargs)


@nox.session
def servers(session: nox.Session) -> None:
    """Test the gateways under gunicorn, waitress, uvicorn, hypercorn and granian."""
    pinned(session, "servers")
    session.run("pytest", "tests/servers", *session.posargs)


@nox.session
def backends(session: nox.Session) -> None:
    """Test the backends with real servers, with the coverage of the Redis and SQL modules; then redis-py otherwise.

    That is: without hiredis, as an application may have it that brings its own client; and in its oldest version.
    """
    pinned(session, "backends")
    session.run("coverage", "run", "-m", "pytest", "tests/backends", *session.posargs)
    if not session.posargs:
        names = ("_connecting.py", "_redis*.py", "_sql.py", "_sql_*.py")
        modules = ",".join(f"*/backends/{name}" for name in names)
        session.run("coverage", "report", f"--include={modules}", "--omit=tests/*")
        of_redis = [str(path) for path in sorted(Path("tests/backends").glob("test_redis*.py"))]
        session.run("pytest", *of_redis, env={"REDIS_PARSER": "python"})
        session.install(*oldest_of(PROJECT["project"]["optional-dependencies"]["redis"]))
        session.run("pytest", *of_redis, "-k", "not Cluster and not Sentinel")


@nox.session
def importers(session: nox.Session) -> None:
    """Test the import of cookies that current versions of Flask, Starlette and Django have written."""
    pinned(session, "test")
    session.install("flask", "starlette", "itsdangerous", "django", "httpx")
    session.run("pytest", "tests/importers", *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Test sessions that are shared with the real JavaScript libraries under Node."""
    pinned(session, "contract")
    session.run("pytest", "tests/interop", *session.posargs)


@nox.session
def openid(session: nox.Session) -> None:
    """Sign in through a real OpenID provider (under Node), with the applications of the pages about it."""
    pinned(session, "contract")
    names = [page.stem.rpartition("-")[2] for page in SIGN_IN]
    sources(session, *(f"adapters/{name}" for name in names))
    session.install(*(one for name in names for one in frameworks(name)), *OPENID)
    session.run("pytest", "tests/openid", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Test the demo, and Flask and FastAPI on real servers, in Chromium, Firefox and WebKit."""
    pinned(session, "browser")
    sources(session, "adapters/flask", "adapters/fastapi")
    session.install(*frameworks("flask"), *frameworks("fastapi"))
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def ecosystem(session: nox.Session) -> None:
    """Run the test suites of packages that build on sessions, with our adapters."""
    pinned(session, "ecosystem")
    sources(session, "adapters/django", "adapters/flask")
    session.run("pytest", "tests/ecosystem", *session.posargs)


# ---- adapters


@nox.session
@EACH_ADAPTER
def adapter(session: nox.Session, adapter: str) -> None:
    """Test an adapter on the newest version of its framework: its own tests, the contract suite, its types."""
    adapter_with_its_tests(session, adapter, frameworks(adapter))
    session.run("pytest", f"adapters/{adapter}/tests", *session.posargs)
    session.run("pytest", "tests/contract", "--app", *_apps(adapter))
    pinned(session, "typing")
    config = f"adapters/{adapter}/pyproject.toml"
    session.run("mypy", "--config-file", config, *_typed(adapter))
    session.run("pyright", "-p", f"adapters/{adapter}")
    check_examples(session, f"docs/how-to/{adapter}.md", f"adapters/{adapter}/README.md")


@nox.session
@EACH_ADAPTER
def oldest(session: nox.Session, adapter: str) -> None:
    """Run the contract suite, with sessions in cookies, with an adapter on the oldest supported version of its framework."""
    versions = [*oldest_of(frameworks(adapter)), *settings(adapter).get("with-oldest", [])]
    adapter_with_its_tests(session, adapter, versions)
    brief = ("--sessions", "cookie", "--requests", "2000")
    session.run("pytest", "tests/contract", *brief, "--app", *_apps(adapter))


def _typed(adapter: str) -> list[str]:
    """Return the folders that mypy checks for an adapter: its source, and the calls that must have the right types."""
    folders = [f"adapters/{adapter}/src", f"adapters/{adapter}/tests/typing"]
    return [folder for folder in folders if Path(folder).exists()]


def _apps(adapter: str) -> list[str]:
    """Return the contract apps of an adapter: several where its framework has several gateways."""
    apps = settings(adapter).get("contract", [adapter])
    return [word for app in apps for word in ("--app", app)][1:]


# ---- distributions


@nox.session
def package(session: nox.Session) -> None:
    """Install each built wheel alone and run the example of its README; test the unpacked source distribution."""
    dist = build(session)
    (core,) = dist.glob("sessionkit_core-*.whl")
    python = empty_environment(session, "core", DEFAULT, core)
    session.run(python, "-I", "-m", "sessionkit", "demo", "--check", external=True)
    for name in ADAPTERS:
        (wheel,) = dist.glob(f"sessionkit_{name}-*.whl")
        version = settings(name).get("python", DEFAULT)
        python = empty_environment(session, name, version, core, wheel)
        run = (python, "-I", "tests/release/run_readme.py", f"adapters/{name}/README.md")
        session.run(*run, external=True)
        if client := settings(name).get("readme"):
            session.run("uv", "pip", "install", "-q", "--python", python, *client)
        session.run(*run, "--with-checks", external=True)
    unpacked(session, dist)


def build(session: nox.Session) -> Path:
    """Build every distribution of the workspace, with a build backend that is pinned; return their folder."""
    pinned(session, "release")
    dist = Path(session.create_tmp(), "dist")
    shutil.rmtree(dist, ignore_errors=True)
    backend = ("--require-hashes", "--build-constraints", str(PINS / "release.txt"))
    session.run("uv", "build", "-q", "--all-packages", "--out-dir", str(dist), *backend)
    return dist


def empty_environment(session: nox.Session, name: str, version: str, *wheels: Path) -> str:
    """Make an environment with nothing but these wheels and what they need; return its Python."""
    folder = Path(session.create_tmp(), name)
    session.run("uv", "venv", "-q", "--clear", "--python", version, str(folder))
    python = str(folder / "bin/python")
    session.run("uv", "pip", "install", "-q", "--python", python, *map(str, wheels))
    session.run("uv", "pip", "check", "-q", "--python", python)
    return python


def unpacked(session: nox.Session, dist: Path) -> None:
    """Lock and install the core from its unpacked source distribution, as a packager would, and run its tests there."""
    (archive,) = dist.glob("sessionkit_core-*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(dist, filter="data")
    folder = dist / archive.name.removesuffix(".tar.gz")
    with session.chdir(folder):
        session.run("uv", "lock", "-q")
        python = empty_environment(session, "unpacked", DEFAULT, Path())
        pins = ("--require-hashes", "-r", str(PINS / "test.txt"))
        session.run("uv", "pip", "install", "-q", "--python", python, *pins)
        left_out = [f"--ignore={path}" for path in THOROUGH]
        session.run(python, "-m", "pytest", "-q", "tests/unit", *left_out, external=True)


@nox.session
def release(session: nox.Session) -> None:
    """Build all distributions and check them: their metadata, versions and the changelog. Upload nothing."""
    dist = build(session)
    session.run("twine", "check", "--strict", *map(str, sorted(dist.glob("sessionkit_*"))))
    session.run("pytest", "tests/release", "--built", str(dist))


@nox.session
def pins(session: nox.Session) -> None:
    """Renew the pinned versions of all tools and test dependencies; look at the difference before you commit it."""
    pinned(session, "uv")
    PINS.mkdir(exist_ok=True)
    for group in PINNED:
        core = [] if group in WITHOUT_THE_CORE else ["--extra", "speed", "pyproject.toml"]
        _compile(session, PINS / f"{group}.txt", PYTHONS[0], "--group", group, *core)
    for name in ADAPTERS:
        oldest_python = project(name)["project"]["requires-python"].removeprefix(">=")
        python = settings(name).get("python", oldest_python)
        own = Path("adapters") / name
        asked = nox.project.dependency_groups(project(name), "test")
        of_framework = set(_closure(session, name, python)) - {_name(one) for one in asked}
        _compile(
            session,
            own / "tests/requirements.txt",
            python,
            "--group",
            f"{own}/pyproject.toml:test",
            *(word for one in sorted(of_framework) for word in ("--no-emit-package", one)),
        )


def _closure(session: nox.Session, adapter: str, python: str) -> list[str]:
    """Return the names of an adapter's framework and of all its dependencies, which are not pinned."""
    wanted = Path(session.create_tmp(), "framework.in")
    wanted.write_text("\n".join(frameworks(adapter)))
    found = wanted.with_suffix(".txt")
    _compile(session, found, python, str(wanted))
    return re.findall(r"^([\w.-]+)==", found.read_text(), re.MULTILINE)


def _name(requirement: str) -> str:
    """Return the name of a requirement, normalized."""
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _compile(session: nox.Session, output: Path, python: str, *what: str) -> None:
    """Write the newest versions that work on every supported Python, with hashes and without the address of an index."""
    session.run(
        "uv",
        "pip",
        "compile",
        "-q",
        "--upgrade",
        "--universal",
        "--python-version",
        python,
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-annotate",
        "--custom-compile-command",
        "nox -s pins",
        "-o",
        str(output),
        *what,
        env={"UV_PYTHON_DOWNLOADS": "never"},
    )


# ---- to be looked at


@nox.session(python=["3.11", "3.13"])
def bench(session: nox.Session) -> None:
    """Measure what sessions cost: -- calls | promises | store | frameworks | servers (wrk) | floor | instructions | backends | peers."""
    on_server = session.posargs[:1] in (["backends"], ["peers"])
    pinned(session, "backends" if on_server else "test")
    names = ["django", "flask", "litestar", "starlette"]
    sources(session, *(f"adapters/{name}" for name in names))
    session.install(*(one for name in names for one in frameworks(name)))
    session.install("itsdangerous", "uvicorn", "httptools", "gunicorn")
    if on_server:
        session.install("flask-session==0.8.*", "starsessions==2.2.*")
    session.run("python", "tests/bench/bench.py", *session.posargs)
