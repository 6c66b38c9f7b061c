"""Errors of a Redis server, or of many together, tell the operator what to do about them."""

import asyncio
from contextlib import closing, contextmanager

import pytest
import redis.asyncio
import redis.sentinel
import valkey
import valkey.asyncio
from redis_servers import redis_server
from tcp_proxy import free_port

from sessionkit import BackendError
from sessionkit.backends import AsyncRedisBackend, Record, RedisBackend

LATER = 4_000_000_000
RECORD = Record("canary-key", "canary-owner", 0, 1, 2, LATER, b"1" * 12, b"canary-payload")
PASSWORD = "canary-password"
# Another test of the shared servers may have revoked the owner above.
MOVING = RECORD._replace(owner="canary-owner-that-moves")


def call(backend, name, *arguments):
    """Call an operation of a backend, blocking or async, and close it."""
    if isinstance(backend, RedisBackend):
        with closing(backend):
            return getattr(backend, name)(*arguments)

    async def main():
        try:
            return await getattr(backend, name)(*arguments)
        finally:
            await backend.aclose()

    return asyncio.run(main())


def advice(backend, name="insert", *arguments):
    """Return the name of the error and the advice in the error of an operation."""
    with pytest.raises(BackendError) as raised:
        call(backend, name, *(arguments or (RECORD, 1.0)))
    text = str(raised.value)
    assert "canary" not in text
    assert text.startswith("the session backend failed (")
    kind, _, told = text.removeprefix("the session backend failed (").partition("): ")
    return kind, told


def both(url):
    """Return the two backends that a URL names."""
    return [RedisBackend(url), AsyncRedisBackend(url)]


def of_valkey(port):
    """Return backends with a client of valkey-py."""
    return [
        RedisBackend(valkey.Valkey(port=port)),
        AsyncRedisBackend(lambda: valkey.asyncio.Valkey(port=port)),
    ]


def test_a_node_of_a_cluster_is_not_reached_by_a_url(redis_nodes):
    found = []
    for node in redis_nodes:
        backends = [*both(node.url), *of_valkey(node.port)]
        found += [one for one in backends if not _works(one)]
    assert len(found) == 8  # the record belongs to one of the three
    for backend in found:
        kind, told = advice(backend)
        assert kind in ("MovedError", "ResponseError")  # of redis-py, of valkey-py
        assert told.startswith("the server is a node of a cluster, which a URL cannot name: ")


def _works(backend):
    try:
        call(backend, "load", RECORD.key, RECORD.owner)
    except BackendError:
        return False
    return True


def test_a_cluster_without_a_server_for_a_slot_is_told():
    with redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        for backend in both(server.url):
            kind, told = advice(backend)
            assert kind in ("ClusterDownError", "ResponseError")
            assert told.startswith("check that each hash slot of the cluster has a server that is ")


def test_a_slot_that_is_moving_is_told_and_no_session_is_taken_for_ended(redis_nodes):
    with redis.RedisCluster("127.0.0.1", redis_nodes[0].port) as client:
        backends = [
            RedisBackend(client),
            AsyncRedisBackend(lambda: redis.asyncio.RedisCluster("127.0.0.1", redis_nodes[0].port)),
        ]
        assert call(backends[0], "insert", MOVING, 1.0) is True
        with _moving(client, f"sk:{{{MOVING.owner}}}:n"):
            for backend in backends:
                assert call(backend, "load", MOVING.key, MOVING.owner) == MOVING
                kind, told = advice(backend, "load", "another-key", MOVING.owner)
                assert kind == "ClusterError"
                assert told.startswith("a hash slot of the cluster is moving to another server: ")
        call(backends[0], "delete", MOVING.key, MOVING.owner)


@contextmanager
def _moving(client, name):
    """Begin to move the slot of a key to another server, and do not go on."""
    slot = client.keyslot(name)
    source = client.get_node_from_key(name)
    target = next(one for one in client.get_primaries() if one.name != source.name)
    with redis.Redis(port=source.port) as old, redis.Redis(port=target.port) as new:
        ids = [one.execute_command("CLUSTER MYID").decode() for one in (old, new)]
        new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
        old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
        try:
            yield
        finally:
            for one in (old, new):
                one.execute_command("CLUSTER SETSLOT", slot, "STABLE")


def test_a_replica_that_is_taken_for_the_primary_is_told(redis_one):
    # Not one that a Sentinel watches, which may become the primary while the machine is busy.
    with redis_server("--replicaof", "127.0.0.1", str(redis_one.port)) as replica:
        for backend in [*both(replica.url), *of_valkey(replica.port)]:
            assert advice(backend) == (
                "ReadOnlyError",
                "the server is a replica: connect to the primary",
            )


def test_a_master_that_no_sentinel_knows_is_told(redis_watched):
    sentinels = redis.sentinel.Sentinel([("127.0.0.1", redis_watched[0])])
    with sentinels.master_for("unknown") as client:
        kind, told = advice(RedisBackend(client))
    for one in sentinels.sentinels:
        one.close()
    assert kind == "MasterNotFoundError"
    assert told.startswith("check that the Sentinels are up, know the master by this name, ")


def test_a_wrong_password_and_a_missing_right_are_told():
    with redis_server("--user", "reader", "on", f">{PASSWORD}", "~*", "+@read") as server:
        at = f"127.0.0.1:{server.port}"
        for backend in both(f"redis://reader:canary-wrong@{at}"):
            assert advice(backend)[0] == "AuthenticationError"
        for backend in both(f"redis://reader:{PASSWORD}@{at}"):
            kind, told = advice(backend)
            assert kind == "NoPermissionError"
            assert told.startswith("check the user and the password, and that the user may run ")
