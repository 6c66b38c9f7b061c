"""Redis servers for tests: each on free ports of this machine, with files in a folder that is removed at the end."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import redis
from tcp_proxy import free_port

TRIES = 200  # of 0.05 seconds
BINARY = next(
    (one for one in ("redis-server", "valkey-server") if shutil.which(one)), "redis-server"
)


class RedisServer:
    """A server that can be killed and started again with the files that it left.

    Attributes:
        port: the port that it listens on, the same after a restart.
        socket: its Unix socket.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        """Start a server.

        Args:
            folder: an empty folder for its files.
            options: words of a command line, such as `--appendonly`, `yes`.
        """
        self.port = free_port()
        self.socket = folder / "redis.sock"
        self._folder = folder
        self._options = options
        self.start()

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [
            *(BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)),
            *("--unixsocket", str(self.socket), "--save", "", "--logfile", "log"),
            *self._options,
        ]
        self._process = subprocess.Popen(command, start_new_session=True)
        for _ in range(TRIES):
            with suppress(redis.RedisError, OSError), self.client() as client:
                client.ping()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{BINARY} did not start: " + (self._folder / "log").read_text())

    def kill(self) -> None:
        """Kill the server, as a crash does."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Stop the process: connections stay open, nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a stopped process go on."""
        self._process.send_signal(signal.SIGCONT)

    def client(self, **options: object) -> redis.Redis:
        """Return a client for looking at the server."""
        return redis.Redis(port=self.port, socket_timeout=5, **options)

    def commands(self) -> dict[str, int]:
        """Return how often each command has been called by a client, without those of scripts."""
        with self.client() as client:
            found = client.info("commandstats")
        return {name.removeprefix("cmdstat_"): one["calls"] for name, one in found.items()}


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """Run a server of its own."""
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder), *options)
        try:
            yield server
        finally:
            server.resume()
            server.kill()


@contextmanager
def redis_cluster(size: int = 3) -> Iterator[list[RedisServer]]:
    """Run a cluster of primaries, each with its share of the slots."""
    with ExitStack() as running:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        nodes = [
            running.enter_context(redis_server(*options, "--cluster-port", str(free_port())))
            for _ in range(size)
        ]
        for number, node in enumerate(nodes):
            first, last = 16384 * number // size, 16384 * (number + 1) // size - 1
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        with nodes[0].client() as client:
            bus = client.config_get("cluster-port")["cluster-port"]
        for node in nodes[1:]:
            with node.client() as client:
                client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port, bus)
        for node in nodes:
            with node.client() as client:
                _wait(lambda client=client: _is_whole(client, size))
        yield nodes


def _is_whole(client: redis.Redis, size: int) -> bool:
    info = client.execute_command("CLUSTER INFO")
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(size)


@contextmanager
def redis_sentinel() -> Iterator[tuple[int, RedisServer, RedisServer]]:
    """Run a master, a replica and a Sentinel that knows the master as `sessions`; yield its port, and the two."""
    with ExitStack() as running:
        master = running.enter_context(redis_server())
        replica = running.enter_context(redis_server("--replicaof", "127.0.0.1", str(master.port)))
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="redis")))
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"sentinel monitor sessions 127.0.0.1 {master.port} 1\n"
            # Long enough that a busy machine does not make the replica the master.
            "sentinel down-after-milliseconds sessions 60000\n"
            "sentinel failover-timeout sessions 2000\n"
        )
        port = free_port()
        command = (BINARY, str(settings), "--sentinel", "--port", str(port), "--dir", str(folder))
        process = subprocess.Popen(
            [*command, "--logfile", str(folder / "log")], start_new_session=True
        )
        running.callback(process.wait)
        running.callback(process.kill)
        with redis.Redis(port=port, socket_timeout=5) as client:
            _wait(lambda: len(client.sentinel_slaves("sessions")) == 1)
            yield port, master, replica


def _wait(is_so: object) -> None:
    for _ in range(TRIES):
        with suppress(redis.RedisError, OSError):
            if is_so():
                return
        time.sleep(0.05)
    raise RuntimeError("the servers did not find each other")
