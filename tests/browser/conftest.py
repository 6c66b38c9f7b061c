"""The engines, and a visitor of the site that a module serves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)

pytest.register_assert_rewrite("walk")  # what failed is shown in full, as in a test module

from engines import OPENERS, Engine  # noqa: E402
from engines.chromium import Chromium, open_chromium  # noqa: E402
from engines.habits import HABITS  # noqa: E402
from tls import tls  # noqa: E402
from walk import Clock, Gate, Sent, Visitor  # noqa: E402


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session", params=list(OPENERS))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "chromium":  # Playwright runs once in a process
        yield request.getfixturevalue("chromium")
    else:
        with OPENERS[request.param]() as engine:
            yield engine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()  # a test that failed leaves nobody waiting


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def visitor(engine: Engine, url: str, tmp_path: Path) -> Iterator[Visitor]:
    with ExitStack() as stack:
        if not HABITS[engine.name].secure_over_http:
            url = stack.enter_context(tls(url, tmp_path))
        window = engine.open_window(url)
        stack.callback(window.close)
        yield Visitor(window)
