"""`--built`: the folder of the built distributions."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--built", type=Path)


@pytest.fixture(scope="session")
def dist(pytestconfig: pytest.Config) -> Path:
    found: Path | None = pytestconfig.getoption("--built")
    if found is None:
        raise pytest.UsageError("build the distributions and name their folder: --built FOLDER")
    return found
