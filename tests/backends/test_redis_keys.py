"""What lies in Redis: the keys, how long they live, and how many commands an operation sends."""

import re

import pytest
import redis
from redis_servers import redis_server

from sessionkit import BackendError
from sessionkit.backends import Record, RedisBackend

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
RECORD = Record(
    key="k", owner="o", generation=0, created_at=NOW, updated_at=NOW, expires_at=NOW + HOUR,
    version=b"1" * 12, sealed=b"sealed" * 300,
)  # fmt: skip
CHANGED = RECORD._replace(version=b"2" * 12, expires_at=NOW + 2 * HOUR)


@pytest.fixture(scope="module")
def server():
    with redis_server() as one:
        yield one


@pytest.fixture
def client(server):
    with server.client() as one:
        one.flushall()
        yield one


@pytest.fixture
def backend(server, client):
    one = RedisBackend(server.url, clock=lambda: NOW)
    yield one
    one.close()


def ttl(client, name):
    """Seconds that a key of the owner `o` lives, rounded."""
    return client.ttl("sk:{o}:" + name)


def names(client):
    return {name.decode() for name in client.scan_iter()}


# ---- keys


def test_an_owner_has_a_record_for_each_session_a_generation_and_an_index(client, backend):
    backend.insert(RECORD._replace(key="abc"), NOW)
    assert names(client) == {"sk:{o}:abc", "sk:{o}:n", "sk:{o}:i"}
    backend.revoke("o", NOW, None)
    assert names(client) == {"sk:{o}:n", "sk:{o}:t"}


def test_the_prefix_is_the_applications(server, client):
    backend = RedisBackend(server.url, prefix="shop:eu", clock=lambda: NOW)
    backend.insert(RECORD._replace(key="abc"), NOW)
    backend.close()
    assert "shop:eu:{o}:abc" in names(client)


ODD = [
    "",
    "%",
    "%25",
    "{}",
    "}",
    "{",
    ":",
    "a:b",
    "a}:{b",
    "n",
    "t",
    "i",
    "%6E",
    "é"[:0] + "~",
    "*",
    "A",
    "a",
]


@pytest.mark.parametrize("key", ["n", "t", "i", "", "%6E", "{x}", "a:b", "*"])
def test_no_key_of_a_record_is_taken_for_another_key_of_the_owner(backend, key):
    one, other = RECORD._replace(key=key), RECORD._replace(key="other")
    assert backend.insert(one, NOW)
    assert backend.insert(other, NOW)
    assert backend.revoke("o", NOW, key) == 1
    assert backend.load(key, "o") == one._replace(generation=1)
    assert backend.of("o") == [one._replace(generation=1)]


def test_odd_owners_and_keys_stay_apart(backend):
    records = [RECORD._replace(key=key, owner=owner) for key in ODD for owner in ODD]
    assert all(backend.insert(one, NOW) for one in records)
    assert [backend.load(one.key, one.owner) for one in records] == records
    for owner in ODD:
        assert len(backend.of(owner)) == len(set(ODD))


@pytest.mark.parametrize("owner", ODD)
def test_every_key_of_an_owner_is_in_one_slot(redis_nodes, owner):
    client = redis.RedisCluster("127.0.0.1", redis_nodes[0].port)
    backend = RedisBackend(client, clock=lambda: NOW)
    one = RECORD._replace(owner=owner, key="a}b{c")
    backend.delete(one.key, owner)
    backend.revoke(owner, NOW - 1, None)
    assert backend.insert(one, NOW)
    assert backend.revoke(owner, NOW, one.key) == 0
    assert [record.key for record in backend.of(owner)] == [one.key]
    client.close()


# ---- how long they live


def test_a_record_lives_a_minute_longer_than_the_session(client, backend):
    backend.insert(RECORD._replace(key="abc"), NOW)
    assert ttl(client, "abc") == HOUR + 60


def test_a_record_that_has_expired_already_still_lives_a_minute(client, backend):
    backend.insert(RECORD._replace(key="abc", expires_at=NOW - HOUR), NOW)
    assert ttl(client, "abc") == 60


@pytest.mark.parametrize("name", ["n", "i"])
def test_the_generation_and_the_index_live_as_long_as_the_longest_record(client, backend, name):
    backend.insert(RECORD, NOW)
    assert ttl(client, name) == HOUR + 60
    backend.replace(CHANGED, RECORD.version)
    assert ttl(client, name) == 2 * HOUR + 60
    backend.touch("k", "o", NOW, NOW + 3 * HOUR)
    assert ttl(client, name) == 3 * HOUR + 60
    backend.insert(RECORD._replace(key="short", expires_at=NOW + 60), NOW)
    backend.delete("k", "o")
    assert ttl(client, name) == 3 * HOUR + 60


def test_a_record_that_is_replaced_by_a_shorter_one_lives_shorter_and_its_generation_does_not(
    client, backend
):
    backend.insert(RECORD._replace(key="abc"), NOW)
    backend.replace(CHANGED._replace(key="abc", expires_at=NOW + 60), RECORD.version)
    assert (ttl(client, "abc"), ttl(client, "n")) == (120, HOUR + 60)


def test_a_touch_that_moves_nothing_leaves_the_record_its_time(client, backend):
    backend.insert(RECORD._replace(key="abc"), NOW)
    backend.touch("abc", "o", NOW + 5, NOW)
    assert ttl(client, "abc") == HOUR + 60


def test_a_revocation_is_kept_as_long_as_a_cookie_and_its_generation_no_shorter(client, backend):
    backend.revoke("o", NOW, None)
    assert (ttl(client, "t"), ttl(client, "n")) == (400 * DAY, 400 * DAY)


def test_a_revocation_leaves_the_generation_its_longer_time_and_the_kept_record_its_own(
    client, backend
):
    backend.insert(RECORD._replace(key="abc", expires_at=NOW + 500 * DAY), NOW)
    backend.revoke("o", NOW, "abc")
    assert (ttl(client, "n"), ttl(client, "abc")) == (500 * DAY + 60, 500 * DAY + 60)


def test_an_earlier_revocation_does_not_take_the_place_of_a_later_one(backend):
    backend.revoke("o", NOW + 0.5, None)
    backend.revoke("o", NOW, None)
    assert backend.insert(RECORD, NOW + 0.25) is False
    assert backend.insert(RECORD, NOW + 0.75) is True


def test_sessions_end_with_an_evicted_generation_and_no_later_login_revives_them(client, backend):
    backend.insert(RECORD, NOW)
    client.delete("sk:{o}:n")
    assert backend.load("k", "o") is None
    assert backend.replace(CHANGED, RECORD.version) is False
    assert backend.touch("k", "o", NOW, NOW) is False
    assert backend.insert(RECORD._replace(key="new"), NOW) is True
    assert backend.load("k", "o") is None
    assert [record.key for record in backend.of("o")] == ["new"]
    assert backend.revoke("o", NOW, None) == 2


def test_a_revocation_without_a_generation_revives_nothing(client, backend):
    backend.insert(RECORD, NOW)
    client.delete("sk:{o}:n")
    assert backend.revoke("o", NOW, "k") == 1
    assert backend.load("k", "o") is None


def test_what_a_revocation_did_not_come_to_remove_is_dead(client, backend):
    backend.insert(RECORD._replace(key="abc"), NOW)
    value = client.get("sk:{o}:abc")
    backend.revoke("o", NOW, None)
    client.set("sk:{o}:abc", value)
    client.zadd("sk:{o}:i", {"abc": RECORD.expires_at})
    assert backend.load("abc", "o") is None
    assert backend.of("o") == []
    assert backend.delete("abc", "o") is None
    assert names(client) == {"sk:{o}:n", "sk:{o}:t"}


def test_an_insert_forgets_four_expired_records(server, client, backend):
    for number in range(6):
        backend.insert(RECORD._replace(key=f"old{number}", expires_at=NOW - 100), NOW - 200)
    client.delete("sk:{o}:i")
    client.zadd("sk:{o}:i", {f"old{number}": NOW - 100 + number for number in range(6)})
    backend.insert(RECORD._replace(key="new"), NOW)
    assert client.zrange("sk:{o}:i", 0, -1) == [b"old4", b"old5", b"new"]


def test_a_purge_forgets_records_that_redis_has_removed(client, backend):
    backend.insert(RECORD._replace(key="abc"), NOW)
    client.delete("sk:{o}:abc")
    assert backend.purge(NOW + 2 * HOUR, 10) == 0
    assert "sk:{o}:i" not in names(client)


def test_a_purge_of_many_owners_removes_as_many_as_it_may(backend):
    for number in range(3000):
        assert backend.insert(RECORD._replace(owner=f"o{number}"), NOW)
    assert backend.purge(NOW + HOUR + 60, 5000) == 0
    assert backend.purge(NOW + HOUR + 61, 2500) == 2500
    assert backend.purge(NOW + HOUR + 61, 2500) == 500


def test_more_sessions_than_a_command_takes_are_listed_and_revoked(backend):
    for number in range(1001):
        assert backend.insert(RECORD._replace(key=str(number)), NOW)
    assert len(backend.of("o")) == 1001
    assert backend.revoke("o", NOW, None) == 1001


def test_a_value_that_is_no_record_is_an_error(client, backend):
    client.set("sk:{o}:n", 0)
    client.set("sk:{o}:abc", "x")
    with pytest.raises(BackendError, match="ResponseError"):
        backend.touch("abc", "o", NOW, NOW)
    with pytest.raises(BackendError, match="failed"):
        backend.load("abc", "o")


# ---- commands


CALLS = {
    "load": (("abc", "o"), ["MGET"]),
    "insert": ((RECORD._replace(key="new"), NOW), ["EVALSHA"]),
    "replace": ((CHANGED._replace(key="abc"), RECORD.version), ["EVALSHA"]),
    "touch": (("abc", "o", NOW, NOW + 2 * HOUR), ["EVALSHA"]),
    "delete": (("abc", "o"), ["EVALSHA"]),
    "of": (("o",), ["ZRANGEBYSCORE", "MGET"]),
    "revoke": (("o", NOW, "other"), ["EVALSHA", "EVALSHA"]),
    "purge": ((NOW + 2 * HOUR, 9), ["SCAN", "ZRANGEBYSCORE", "EVALSHA"]),
}


def seen(server, use):
    """The commands that a server gets meanwhile: of clients, and of scripts."""
    lines = []
    with server.client() as marking, server.client() as watching:
        marking.ping()
        with watching.monitor() as monitor:
            use()
            marking.echo("the end")
            for line in monitor.listen():
                if line["command"] == "ECHO the end":
                    break
                lines.append(line)
    return (
        [line["command"] for line in lines if line["client_type"] != "lua"],
        [line["command"] for line in lines if line["client_type"] == "lua"],
    )


def prepare(backend):
    """Add a record, and let the server know the scripts."""
    for one in (RECORD, RECORD._replace(key="abc")):
        backend.delete(one.key, "o")
    backend.insert(RECORD, NOW)
    backend.replace(CHANGED, RECORD.version)
    backend.touch("k", "o", NOW, NOW)
    backend.revoke("o", NOW - 1, None)
    backend.insert(RECORD._replace(key="abc"), NOW)


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_sends_as_few_commands_as_it_can(server, backend, name):
    prepare(backend)
    arguments, commands = CALLS[name]
    of_clients, _ = seen(server, lambda: getattr(backend, name)(*arguments))
    assert [command.split()[0].upper() for command in of_clients] == commands


@pytest.mark.parametrize("name", CALLS)
def test_a_script_uses_no_key_but_those_that_it_was_given(server, backend, name):
    prepare(backend)
    arguments, _ = CALLS[name]
    of_clients, of_scripts = seen(server, lambda: getattr(backend, name)(*arguments))
    key = re.compile(r"sk:\{o\}:\w+")
    assert set(key.findall(" ".join(of_scripts))) <= set(key.findall(" ".join(of_clients)))


def test_a_script_is_sent_whole_once(server, client, backend):
    client.script_flush()
    first, _ = seen(server, lambda: backend.insert(RECORD, NOW))
    second, _ = seen(server, lambda: backend.insert(RECORD, NOW))
    assert [command.split()[0] for command in first] == ["EVALSHA", "EVAL"]
    assert [command.split()[0] for command in second] == ["EVALSHA"]
    change = CHANGED, RECORD.version
    first, _ = seen(server, lambda: backend.replace(*change))
    second, _ = seen(server, lambda: backend.replace(*change))
    assert [command.split()[0] for command in first] == ["EVALSHA", "EVAL"]
    assert [command.split()[0] for command in second] == ["EVALSHA"]


# ---- clients of applications


class Documented:
    """A client that has the documented methods, and nothing else."""

    def __init__(self, client):
        self.mget, self.evalsha, self.eval = client.mget, client.evalsha, client.eval


def test_a_client_needs_three_methods(client):
    backend = RedisBackend(Documented(client), clock=lambda: NOW)
    assert backend.insert(RECORD, NOW) is True
    assert backend.replace(CHANGED, RECORD.version) is True
    assert backend.load("k", "o") == CHANGED
    assert backend.replace(RECORD, b"another") == CHANGED
    assert backend.delete("k", "o") == CHANGED


class Twice(redis.Redis):
    """A client that sends every script twice, as one with retries does when a reply is lost."""

    def evalsha(self, *words):
        super().evalsha(*words)
        return super().evalsha(*words)


def test_writes_that_are_sent_twice_take_effect_once(server, backend):
    prepare(backend)
    with Twice(port=server.port) as client:
        twice = RedisBackend(client, clock=lambda: NOW)
        record = RECORD._replace(owner="twice", sealed=b"0")
        assert twice.insert(record, NOW) is True
        for number in range(1, 101):
            later = record._replace(version=number.to_bytes(12, "big"), sealed=b"%d" % number)
            assert twice.replace(later, record.version) is True
            record = later
        assert twice.load("k", "twice") == record
        assert twice.touch("k", "twice", NOW + 1, NOW + 2 * HOUR) is True
        assert twice.replace(record._replace(version=b"x" * 12), b"y" * 12).sealed == b"100"
        assert twice.revoke("twice", NOW, "k") == 0
        assert twice.load("k", "twice").sealed == b"100"
        assert twice.revoke("twice", NOW, None) == 0
        assert twice.load("k", "twice") is None
