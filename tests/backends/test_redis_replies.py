"""Replies of Redis that come in pieces, in halves, or too late, whatever parses them."""

import asyncio
import os

import pytest
from redis_servers import redis_server
from tcp_proxy import proxy

from sessionkit import BackendError
from sessionkit.backends import AsyncRedisBackend, Record, RedisBackend
from sessionkit.testing._clients import blocking

LATER = 4_000_000_000
ONE = Record("one", "ada", 0, 1, 2, LATER, b"1" * 12, b"sealed\r\n$3\r\n" * 3)
OTHER = ONE._replace(key="other", version=b"2" * 12, sealed=b"of the other")
REPLY = b"*2\r\n$%d\r\n" % (33 + 12 + len(ONE.sealed))
"""How the reply to a load of the first begins."""


@pytest.fixture(scope="module")
def server():
    with redis_server() as one:
        yield one


@pytest.fixture
def between(server):
    with proxy(server.port) as one:
        yield one


@pytest.fixture(params=[RedisBackend, AsyncRedisBackend], ids=["blocking", "async"])
def backend(request, between):
    loop = asyncio.new_event_loop()
    made = blocking(request.param(f"redis://127.0.0.1:{between.port}"), loop)
    assert made.insert(ONE, 1.0) is True
    assert made.insert(OTHER, 1.0) is True
    yield made
    made.close()
    loop.close()


def load(backend, record):
    return backend.load(record.key, record.owner)


def test_the_parser_is_the_one_that_this_run_is_to_test(backend):
    client = RedisBackend("redis://localhost")._client
    parser = type(client.connection_pool.make_connection()._parser)
    assert ("hiredis" in parser.__module__) is (os.environ.get("REDIS_PARSER") != "python")


def test_a_reply_that_is_split_at_any_byte_is_the_same_record(backend, between):
    for at in range(len(REPLY) + 12):
        between.split_after = at
        assert load(backend, ONE) == ONE
    assert between.connections == 1


def test_a_reply_that_ends_at_any_byte_is_an_error_and_the_next_one_is_right(backend, between):
    whole = len(REPLY) + 33 + 12 + len(ONE.sealed) + len("\r\n$1\r\n0\r\n")
    for at in range(whole):
        between.cut_after = at
        with pytest.raises(BackendError):
            load(backend, ONE)
        assert load(backend, OTHER) == OTHER
    between.cut_after = whole  # nothing is cut
    assert load(backend, ONE) == ONE


def test_the_second_half_of_a_reply_that_comes_too_late_belongs_to_nobody(backend, between):
    between.split_after, between.delay = len(REPLY) + 40, 1.3
    with pytest.raises(BackendError):
        load(backend, ONE)
    between.delay = 0
    assert load(backend, OTHER) == OTHER
    assert load(backend, ONE) == ONE
