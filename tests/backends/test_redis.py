"""The contract of backends on real servers: one Redis, a cluster, a master that Sentinel finds; blocking and async."""

import pytest
import redis.asyncio.cluster
import redis.asyncio.sentinel
import redis.cluster
import redis.sentinel
import valkey
import valkey.asyncio

from sessionkit.backends import AsyncRedisBackend, RedisBackend
from sessionkit.testing import backend_conformance

PORTS = {}
"""The ports of the servers, by the name of their fixture."""


@pytest.fixture(scope="session")
def one_server(redis_one):
    PORTS["one"] = redis_one.port


@pytest.fixture(scope="session")
def cluster(redis_nodes):
    PORTS["cluster"] = redis_nodes[0].port


@pytest.fixture(scope="session")
def sentinel(redis_watched):
    PORTS["sentinel"] = redis_watched[0]


def address():
    return "127.0.0.1", PORTS["one"]


def at(kind):
    def make(host, port, clock):
        return kind(f"redis://{host}:{port}", clock=clock)

    return make


def by_url(kind):
    def make(clock):
        return kind(f"redis://127.0.0.1:{PORTS['one']}", clock=clock)

    needs_server = pytest.mark.usefixtures("one_server")
    return needs_server(
        backend_conformance(make, make_second=make, make_at=at(kind), server=address)
    )


class ClosedWithItsClient(RedisBackend):
    """A backend that closes the client which a test has made for it."""

    def close(self):
        super().close()
        self._client.close()


def by_client(client, fixture):
    def make(clock):
        return ClosedWithItsClient(client(), clock=clock)

    return pytest.mark.usefixtures(fixture)(backend_conformance(make, in_process=True))


def by_async_client(client, fixture):
    def make(clock):
        return AsyncRedisBackend(client, clock=clock)

    return pytest.mark.usefixtures(fixture)(backend_conformance(make, in_process=True))


def cluster_of(kind):
    return lambda: kind("127.0.0.1", PORTS["cluster"])


def master_of(kind):
    return lambda: kind([("127.0.0.1", PORTS["sentinel"])]).master_for("sessions")


class AsyncMaster(redis.asyncio.Redis):
    """A client of a master that closes the clients of its Sentinels too."""

    async def aclose(self, *arguments, **named):
        await super().aclose(*arguments, **named)
        for one in self.connection_pool.sentinel_manager.sentinels:
            await one.aclose()


def async_master():
    sentinels = redis.asyncio.sentinel.Sentinel([("127.0.0.1", PORTS["sentinel"])])
    return sentinels.master_for("sessions", redis_class=AsyncMaster)


def valkey_of(kind):
    return lambda: kind(port=PORTS["one"])


TestByURL = by_url(RedisBackend)
TestAsyncByURL = by_url(AsyncRedisBackend)
TestCluster = by_client(cluster_of(redis.cluster.RedisCluster), "cluster")
TestAsyncCluster = by_async_client(cluster_of(redis.asyncio.cluster.RedisCluster), "cluster")
TestSentinel = by_client(master_of(redis.sentinel.Sentinel), "sentinel")
TestAsyncSentinel = by_async_client(async_master, "sentinel")
TestValkey = by_client(valkey_of(valkey.Valkey), "one_server")
TestAsyncValkey = by_async_client(valkey_of(valkey.asyncio.Valkey), "one_server")
