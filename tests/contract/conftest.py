"""Starts the app under test, and holds its declared gaps to what was skipped."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
if str(HERE.parent) not in sys.path:
    sys.path.append(str(HERE.parent))

from contract.backends import FAILING, FOLDER, KINDS, SESSIONS  # noqa: E402
from contract.browser import Browser  # noqa: E402
from contract.keeping import IN_COOKIES, ON_SERVER, Keeping  # noqa: E402
from contract.setting import CLOCK, FEATURES, START, SharedClock  # noqa: E402

REFERENCE = ["wsgi", "asgi"]
GAP = "the framework lacks "
_running: dict[str, Served] = {}
_skipped: dict[str, set[str]] = {}
_complaints: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--app",
        action="append",
        help="a contract app (apps/<name>.py); the two reference apps by default",
    )
    parser.addoption(
        "--sessions",
        action="append",
        choices=KINDS,
        help="where sessions are kept; by default every app runs twice, with cookie and memory",
    )
    parser.addoption(
        "--requests",
        type=int,
        default=10_000,
        help="how many requests of 100 users at once are made where sessions are in cookies; on the server a fifth",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs(*features): of a contract app; one that declares a gap there skips the test",
    )
    config.addinivalue_line("markers", "with_backend: a scenario about sessions on the server")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "served" in metafunc.fixturenames:
        names = metafunc.config.getoption("--app", default=None) or REFERENCE
        kinds = metafunc.config.getoption("--sessions", default=None) or KINDS[:2]
        runs = [(name, kind) for name in names for kind in kinds]
        ids = [f"{name}-{kind}" for name, kind in runs]
        metafunc.parametrize("served", runs, indirect=True, scope="session", ids=ids)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take away the scenarios about sessions on the server where sessions are kept in cookies."""

    def belongs(item: Any) -> bool:
        run = item.callspec.params.get("served") if hasattr(item, "callspec") else None
        return not (run and run[1] == "cookie" and item.get_closest_marker("with_backend"))

    config.hook.pytest_deselected(items=[one for one in items if not belongs(one)])
    items[:] = filter(belongs, items)


class Served:
    """A running app.

    Attributes:
        gaps: features that its framework lacks, with the reason.
        dropped: a key of the framework's own session object that must not cross a login.
        pages: the pages about it.
        clock: its clock.
        keeping: where it keeps sessions, and what follows from that.
    """

    def __init__(self, name: str, kind: str, folder: Path) -> None:
        self.name = f"{name} with sessions in {kind}"
        self.keeping: Keeping = IN_COOKIES if kind == "cookie" else ON_SERVER
        self._failing = folder / FAILING
        self.let_fail()
        path = folder / CLOCK
        path.write_bytes(struct.pack("d", START))
        self.clock = SharedClock(path)
        self.log = folder / "log"
        listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = listening.getsockname()[1]
        reading, writing = os.pipe()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(HERE / "serve.py"),
                    name,
                    str(listening.fileno()),
                    str(writing),
                ],
                pass_fds=[listening.fileno(), writing],
                env={**os.environ, FOLDER: str(folder), SESSIONS: kind, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        listening.close()
        os.close(writing)
        with os.fdopen(reading) as described:
            text = described.read()
        assert text, f"the app {self.name} did not start:\n{self.said}"
        described = json.loads(text)
        self.gaps: dict[str, str] = described["gaps"]
        self.unprobed: list[str] = described["unprobed"]
        self.dropped: str | None = described["dropped"]
        self.versions: dict[str, str] = described["versions"]
        self.pages: list[str] = described["pages"]
        _running[self.name] = self

    def let_fail(self, *operations: str) -> None:
        """Let these operations of the backend fail from now on, and no others."""
        self._failing.write_text(" ".join(operations))

    @property
    def said(self) -> str:
        """The end of what it wrote to stdout and stderr."""
        return self.log.read_text(errors="replace")[-6000:]

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    name, kind = request.param
    served = Served(name, kind, tmp_path_factory.mktemp(name))
    yield served
    served.stop()


@pytest.fixture
def keeping(served: Served) -> Keeping:
    """Where the app keeps sessions: the names of the cookies that its responses set."""
    return served.keeping


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    """A visitor with an empty jar, at the suite's beginning of time."""
    served.clock.set(START)
    served.let_fail()
    browser = Browser(served.port, served.clock)
    yield browser
    browser.close()


@pytest.fixture
def clock(served: Served, browser: Browser) -> SharedClock:
    """The clock of the app and of the browser's jar."""
    return served.clock


@pytest.fixture(autouse=True)
def _has_what_the_test_needs(request: pytest.FixtureRequest) -> None:
    needs = [feature for marker in request.node.iter_markers("needs") for feature in marker.args]
    assert set(needs) <= set(FEATURES)
    gaps = request.getfixturevalue("served").gaps if needs else {}
    for feature in needs:
        if feature in gaps:
            pytest.skip(f"{GAP}{feature}: {gaps[feature]}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    served = getattr(item, "funcargs", {}).get("served")
    if not isinstance(served, Served):
        return
    if report.skipped:
        reason = report.longrepr[2].removeprefix("Skipped: ")
        feature = reason.removeprefix(GAP).partition(":")[0] if reason.startswith(GAP) else reason
        _skipped.setdefault(served.name, set()).add(feature)
    if report.failed:
        report.sections.append((f"the log of {served.name}", served.said))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skip that no declared gap explains, or a declared gap that skips nothing, fails the run."""
    for name, served in _running.items():
        declared, skipped = set(served.gaps), _skipped.get(name, set())
        if skipped != declared if _is_whole(session) else skipped - declared:
            session.exitstatus = 1
            _complaints.append(
                f"contract of {name}: declared gaps {sorted(declared)}, but skipped {sorted(skipped)}"
            )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, served in _running.items():
        versions = ", ".join(f"{one} {number}" for one, number in served.versions.items())
        terminalreporter.write_line(
            f"contract of {name}: {versions}; gaps: {', '.join(served.gaps) or 'none'}"
        )
    for complaint in _complaints:
        terminalreporter.write_line(complaint, red=True)


def _is_whole(session: pytest.Session) -> bool:
    """Whether the run took every test of this folder."""
    option = session.config.option
    if (
        option.keyword
        or option.markexpr
        or option.collectonly
        or session.shouldstop
        or option.maxfail
    ):
        return False
    return any(
        Path(str(one).partition("::")[0]).resolve() in (HERE, HERE.parent)
        for one in session.config.args
    ) and "::" not in "".join(session.config.args)
