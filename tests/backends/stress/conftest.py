"""The engines, started once each; how long the tests run; and what they counted, after the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache

import pytest

from .engines import ENGINES, Engine

LINES = pytest.StashKey[list[str]]()


@dataclass
class Length:
    """How often each test repeats what it tests, on each engine."""

    overlaps: int = 100
    increments: int = 400
    revocations: int = 50
    worker_kills: int = 6
    redis_kills: int = 6
    sql_kills: int = 2


FULL = Length(
    overlaps=1_000, increments=8_000, revocations=200, worker_kills=50, redis_kills=50, sql_kills=50
)


@pytest.fixture(scope="session")
def length(pytestconfig) -> Length:
    return FULL if pytestconfig.getoption("full", default=False) else Length()


@pytest.fixture(scope="session")
def engine_named() -> Iterator[Callable[[str], Engine]]:
    """Returns an engine, which is started when it is first asked for."""
    with ExitStack() as running:
        yield cache(lambda name: running.enter_context(ENGINES[name]()))


@pytest.fixture
def counted(request) -> Callable[[str], None]:
    """Notes a line that is shown after the tests."""
    lines = request.config.stash.setdefault(LINES, [])
    return lambda line: lines.append(f"{request.node.name}: {line}")


def pytest_terminal_summary(terminalreporter, config) -> None:
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("counted under stress")
        for line in lines:
            terminalreporter.line(line)
