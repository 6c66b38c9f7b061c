"""The Node side: installed once, one process for each library."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from node_packages import install

from .javascript import NODE, Library


@pytest.fixture(scope="session")
def node() -> None:
    """The npm packages are installed."""
    install(NODE)


@pytest.fixture(scope="session")
def library(node: None) -> Iterator[Callable[[str], Library]]:
    """Gives a library by the name of its module under node/."""
    running: dict[str, Library] = {}

    def get(module: str) -> Library:
        if module not in running:
            running[module] = Library(module)
        return running[module]

    yield get
    for one in running.values():
        one.close()
