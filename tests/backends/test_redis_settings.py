"""What a Redis backend takes and refuses, and what it warns of."""

import asyncio
import traceback

import pytest
import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.cluster
import redis.sentinel
import valkey.asyncio.cluster
import valkey.cluster
from redis_servers import redis_server

from sessionkit import BackendError, ConfigurationError
from sessionkit.backends import AsyncRedisBackend, Record, RedisBackend

LATER = 4_000_000_000
RECORD = Record("k", "o", 0, 1, 2, LATER, b"1" * 12, b"sealed")

BOTH = pytest.mark.parametrize("kind", [RedisBackend, AsyncRedisBackend])


@pytest.fixture
def server():
    with redis_server("--appendonly", "yes", "--appendfsync", "always") as one:
        yield one


def warnings_of(server, **named):
    backend = RedisBackend(server.url, **named)
    try:
        return backend.warnings()
    finally:
        backend.close()


# ---- URLs and clients


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "http://:sesame@localhost",
        "redis://:sesame@localhost:port",
        "redis://:sesame@localhost?db=sesame",
        "redis://:sesame@localhost?socket_timeout=sesame",
        "redis://:sesame@localhost?no_such_option=sesame",
        "redis://:sesame@localhost?protocol=7",
        "",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(kind, url):
    with pytest.raises(ConfigurationError, match="the URL of the Redis server cannot be used") as e:
        kind(url)
    assert "sesame" not in "".join(traceback.format_exception(e.value))
    assert e.value.__context__ is None


@BOTH
@pytest.mark.parametrize("prefix", ["", "a{b", "a}b", "a*", "a b", "é"])
def test_a_prefix_that_would_move_keys_to_other_slots_or_find_others_is_refused(kind, prefix):
    with pytest.raises(ConfigurationError, match="prefix="):
        kind("redis://localhost", prefix=prefix)


@pytest.mark.parametrize(
    ("kind", "client", "says"),
    [
        (RedisBackend, redis.asyncio.Redis(), "takes a blocking client"),
        (AsyncRedisBackend, redis.Redis(), "takes an async client"),
        (RedisBackend, redis.Redis(decode_responses=True), "decode_responses"),
        (AsyncRedisBackend, redis.asyncio.Redis(decode_responses=True), "decode_responses"),
        (RedisBackend, object(), "not object"),
        (RedisBackend, "redis://localhost?decode_responses=1", "decode_responses"),
    ],
)
def test_a_client_that_cannot_be_used_is_refused(kind, client, says):
    with pytest.raises(ConfigurationError, match=says):
        kind(client)


def test_a_function_that_returns_a_client_that_cannot_be_used_is_refused_at_the_first_use():
    backend = AsyncRedisBackend(redis.Redis)
    with pytest.raises(ConfigurationError, match="takes an async client"):
        asyncio.run(backend.of("o"))


def test_a_socket_of_the_machine_is_an_address(server):
    backend = RedisBackend(f"unix://{server.socket}")
    assert backend.insert(RECORD, 1.0) is True
    assert backend.load("k", "o") == RECORD
    backend.close()


def test_a_tls_connection_to_a_server_without_tls_fails(server):
    backend = RedisBackend(server.url.replace("redis:", "rediss:"))
    with pytest.raises(BackendError):
        backend.load("k", "o")


def test_a_closed_backend_connects_again(server):
    backend = RedisBackend(server.url)
    assert backend.insert(RECORD, 1.0) is True
    backend.close()
    assert backend.load("k", "o") == RECORD
    backend.close()


def test_a_client_of_the_application_stays_open(server):
    with redis.Redis(port=server.port) as client:
        backend = RedisBackend(client)
        backend.insert(RECORD, 1.0)
        connected = client.client_id()
        backend.close()
        assert client.client_id() == connected


def test_an_async_client_of_the_application_stays_open(server):
    async def main():
        async with redis.asyncio.Redis(port=server.port) as client:
            backend = AsyncRedisBackend(client)
            assert await backend.insert(RECORD, 1.0) is True
            connected = await client.client_id()
            await backend.aclose()
            assert await client.client_id() == connected

    asyncio.run(main())


# ---- warnings


def test_a_server_with_good_settings_gives_no_warning(server):
    assert warnings_of(server) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lru"])
def test_a_server_that_evicts_gives_a_warning(server, policy):
    with server.client() as client:
        client.config_set("maxmemory-policy", policy)
    (warning,) = warnings_of(server)
    assert warning.startswith(f"maxmemory-policy is {policy}: ")


def test_a_server_that_keeps_nothing_on_disk_gives_a_warning(server):
    with server.client() as client:
        client.config_set("appendonly", "no")
    (warning,) = warnings_of(server)
    assert warning.startswith("appendonly is no: ")


def test_a_server_that_syncs_late_gives_a_warning(server):
    with server.client() as client:
        client.config_set("appendfsync", "everysec")
    (warning,) = warnings_of(server)
    assert warning.startswith("appendfsync is everysec: ")


@pytest.mark.parametrize("ahead", [-5, 5])
def test_a_clock_that_differs_gives_a_warning(server, ahead):
    with server.client() as client:
        seconds, _ = client.time()
    (warning,) = warnings_of(server, clock=lambda: seconds + ahead)
    assert warning.startswith("The clocks of this machine and of the Redis server differ by ")


def test_replicas_give_a_warning(redis_watched):
    _, master, _ = redis_watched
    assert any(one.startswith("The Redis server has replicas") for one in warnings_of(master))


def test_settings_that_may_not_be_asked_for_are_said(server):
    with server.client() as client:
        client.acl_setuser("app", enabled=True, passwords=["+sesame"], keys=["sk:*"], categories=["+@all", "-@admin", "-@dangerous"])  # fmt: skip
        client.acl_setuser("app", enabled=True, commands=["-time", "-info"])
    backend = RedisBackend(f"redis://app:sesame@127.0.0.1:{server.port}")
    (warning,) = backend.warnings()
    assert warning.startswith("The Redis server does not let this client read its settings")
    assert backend.insert(RECORD, 1.0) is True
    assert backend.revoke("o", 2.0, None) == 1
    backend.close()


def test_a_user_with_a_wrong_password_gets_an_error_that_does_not_show_it(server):
    backend = RedisBackend(f"redis://app:sesame@127.0.0.1:{server.port}")
    with pytest.raises(BackendError, match="AuthenticationError") as raised:
        backend.load("k", "o")
    assert "sesame" not in "".join(traceback.format_exception(raised.value))
    backend.close()


def test_the_servers_of_a_cluster_give_one_warning_together(redis_nodes):
    with redis.cluster.RedisCluster("127.0.0.1", redis_nodes[0].port) as client:
        (warning,) = RedisBackend(client).warnings()
    assert warning.startswith("appendonly is no: ")


def test_the_servers_of_a_cluster_give_one_warning_together_to_an_async_client(redis_nodes):
    async def main():
        backend = AsyncRedisBackend(
            lambda: redis.asyncio.cluster.RedisCluster("127.0.0.1", redis_nodes[0].port)
        )
        found = await backend.warnings()
        await backend.aclose()
        return found

    (warning,) = asyncio.run(main())
    assert warning.startswith("appendonly is no: ")


@pytest.mark.parametrize("library", ["redis", "valkey"])
def test_a_cluster_client_that_reads_from_replicas_gives_a_warning(redis_nodes, library):
    blocking, awaited, options = {
        "redis": lambda: (
            redis.cluster.RedisCluster,
            redis.asyncio.cluster.RedisCluster,
            {"load_balancing_strategy": redis.cluster.LoadBalancingStrategy.ROUND_ROBIN},
        ),
        "valkey": lambda: (
            valkey.cluster.ValkeyCluster,
            valkey.asyncio.cluster.ValkeyCluster,
            {"read_from_replicas": True},
        ),
    }[library]()
    place = "127.0.0.1", redis_nodes[0].port

    async def main():
        backend = AsyncRedisBackend(lambda: awaited(*place, **options))
        found = await backend.warnings()
        await backend.aclose()
        return found

    with blocking(*place, **options) as client:
        found = RedisBackend(client).warnings()
    assert found == asyncio.run(main())
    assert found[0].startswith("The client of the Redis cluster reads from replicas, ")
