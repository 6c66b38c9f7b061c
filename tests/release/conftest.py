"""`--dist`: the folder of the built distributions."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dist", type=Path, required=True)


@pytest.fixture(scope="session")
def dist(pytestconfig: pytest.Config) -> Path:
    found: Path = pytestconfig.getoption("--dist")
    return found
