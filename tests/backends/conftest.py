"""Servers for the tests of this folder: each is started for the first test that needs it, and stopped at the end.

With `REDIS_PARSER=python` in the environment, redis-py and valkey-py parse replies as they do without hiredis and libvalkey.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

if os.environ.get("REDIS_PARSER") == "python":  # before the clients look for them
    sys.modules.update({"hiredis": None, "libvalkey": None})

from redis_servers import RedisServer, redis_cluster, redis_sentinel, redis_server


@pytest.fixture(scope="session")
def redis_one() -> Iterator[RedisServer]:
    """A Redis server that tests share: they take owners of their own, and do not stop it."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_nodes() -> Iterator[list[RedisServer]]:
    """The three servers of a cluster, shared likewise."""
    with redis_cluster() as nodes:
        yield nodes


@pytest.fixture(scope="session")
def redis_watched() -> Iterator[tuple[int, RedisServer, RedisServer]]:
    """The port of a Sentinel, a master and its replica, shared likewise."""
    with redis_sentinel() as watched:
        yield watched


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the stress tests at full length")
