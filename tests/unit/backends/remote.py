"""A small server of sessions, and its blocking and async clients: what a backend with a server has to get right."""

import asyncio
import os
import pickle
import socket
import socketserver
import threading
from contextlib import suppress

from sessionkit.backends import MemoryBackend
from sessionkit.errors import BackendError

LENGTH = 4
LIMIT = 2.0  # seconds, as a backend waits for its server


def pack(value):
    data = pickle.dumps(value)
    return len(data).to_bytes(LENGTH, "big") + data


def receive(read):
    """A message, by a function that reads so many bytes."""
    return pickle.loads(read(int.from_bytes(read(LENGTH), "big")))


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError, EOFError):
            while True:
                name, arguments = receive(self.rfile.read)
                self.wfile.write(pack(getattr(self.server.memory, name)(*arguments)))


class Server(socketserver.ThreadingTCPServer):
    """Sessions in the memory of a thread, over TCP."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.memory = MemoryBackend()
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self):
        self.shutdown()
        self.server_close()


class RemoteBackend:
    """A client with a connection for each thread of each process."""

    def __init__(self, host, port):
        self.address = (host, port)
        self.connections = {}

    def place(self):
        return os.getpid(), threading.get_ident()

    def call(self, name, *arguments):
        try:
            return self.talk(self.connection(), pack((name, arguments)))
        except (OSError, EOFError, pickle.PickleError):
            self.fail()
        raise BackendError("the session backend did not answer: is the server up?")

    def connection(self):
        place = self.place()
        if place not in self.connections:
            connection = socket.create_connection(self.address, timeout=LIMIT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[place] = connection, connection.makefile("rb")
        return self.connections[place]

    def talk(self, connection, request):
        there, file = connection
        there.sendall(request)
        return receive(file.read)

    def fail(self):
        """Throw the connection away: an unread reply may be under way."""
        for one in reversed(self.connections.pop(self.place(), ())):
            one.close()

    def load(self, key, owner):
        return self.call("load", key, owner)

    def insert(self, record, since):
        return self.call("insert", record, since)

    def replace(self, record, version):
        return self.call("replace", record, version)

    def touch(self, key, owner, updated_at, expires_at):
        return self.call("touch", key, owner, updated_at, expires_at)

    def delete(self, key, owner):
        return self.call("delete", key, owner)

    def of(self, owner):
        return self.call("of", owner)

    def revoke(self, owner, at, keep):
        return self.call("revoke", owner, at, keep)

    def purge(self, now, limit):
        return self.call("purge", now, limit)

    def close(self):
        while self.connections:
            for one in reversed(self.connections.popitem()[1]):
                one.close()

    def warnings(self):
        return []


class AsyncRemoteBackend:
    """A client with connections for each event loop: a call takes one that is free, or opens another."""

    def __init__(self, host, port):
        self.address = (host, port)
        self.free = {}

    def pool(self):
        return self.free.setdefault((os.getpid(), asyncio.get_running_loop()), [])

    async def call(self, name, *arguments):
        try:
            return await asyncio.wait_for(self.talk(pack((name, arguments))), LIMIT)
        except (OSError, EOFError, asyncio.TimeoutError, pickle.PickleError):
            pass
        raise BackendError("the session backend did not answer: is the server up?")

    async def talk(self, request):
        pool = self.pool()
        reader, writer = pool.pop() if pool else await asyncio.open_connection(*self.address)
        try:
            writer.write(request)
            length = int.from_bytes(await reader.readexactly(LENGTH), "big")
            answer = pickle.loads(await reader.readexactly(length))
        except BaseException:
            self.fail(pool, (reader, writer))
            raise
        pool.append((reader, writer))
        return answer

    def fail(self, pool, connection):
        connection[1].transport.abort()

    async def load(self, key, owner):
        return await self.call("load", key, owner)

    async def insert(self, record, since):
        return await self.call("insert", record, since)

    async def replace(self, record, version):
        return await self.call("replace", record, version)

    async def touch(self, key, owner, updated_at, expires_at):
        return await self.call("touch", key, owner, updated_at, expires_at)

    async def delete(self, key, owner):
        return await self.call("delete", key, owner)

    async def of(self, owner):
        return await self.call("of", owner)

    async def revoke(self, owner, at, keep):
        return await self.call("revoke", owner, at, keep)

    async def purge(self, now, limit):
        return await self.call("purge", now, limit)

    async def aclose(self):
        for _, writer in self.free.pop((os.getpid(), asyncio.get_running_loop()), ()):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def warnings(self):
        return []
