"""Clients of a server with one mistake each, and the case that finds it: outages, forks, threads, event loops, leaks."""

import logging
import os
import threading

from sessionkit.backends import MemoryBackend
from sessionkit.errors import BackendError

from .broken import breaks
from .plain import PlainBackend
from .remote import AsyncRemoteBackend, RemoteBackend


@breaks(64)
class AnOutageIsNone(RemoteBackend):
    def load(self, key, owner):
        try:
            return super().load(key, owner)
        except BackendError:
            return None


@breaks(64)
class AnOutageIsTheDriversError(RemoteBackend):
    def call(self, name, *arguments):
        return self.talk(self.connection(), name, *arguments)


@breaks(64)
class RetriesForLong(RemoteBackend):
    def call(self, name, *arguments):
        for _ in range(22):  # 10 seconds with real pauses, a little more than what is allowed here
            try:
                return super().call(name, *arguments)
            except BackendError:
                threading.Event().wait(0.1)
        return super().call(name, *arguments)


@breaks(65)
class AnUnreadReplyIsKept(RemoteBackend):
    def fail(self):
        """Keep the connection: the reply that comes late is read as the next."""


@breaks(65)
class AnUnreadReplyIsKeptAfterATimeOut(RemoteBackend):
    def talk(self, connection, name, *arguments):
        try:
            return super().talk(connection, name, *arguments)
        except TimeoutError:
            there, _ = connection
            self.connections[self.place()] = there, there.makefile("rb")
            raise BackendError("the session backend did not answer in time") from None


@breaks(65)
class AsyncRepliesAreKept(AsyncRemoteBackend):
    def fail(self, pool, connection):
        pool.append(connection)


@breaks(66)
class OneConnectionOverAFork(RemoteBackend):
    def place(self):
        return threading.get_ident()


@breaks(66)
class NoChildMayUseIt(MemoryBackend):
    """As with a lock that a thread of the parent holds."""

    def __init__(self, *, clock):
        super().__init__(clock=clock)
        self.pid = os.getpid()

    def insert(self, record, since):
        if self.pid != os.getpid():
            threading.Event().wait()
        return super().insert(record, since)


@breaks(67)
class OneClientForAllLoops(AsyncRemoteBackend):
    def pool(self):
        return self.free.setdefault("all", [])


@breaks(68)
class OneConnectionForAllThreads(RemoteBackend):
    def place(self):
        return os.getpid()


@breaks(69)
class ACancelledTaskGivesItsConnectionBack(AsyncRemoteBackend):
    def fail(self, pool, connection):
        pool.append(connection)


@breaks(70)
class ErrorsNameTheKey(RemoteBackend):
    def call(self, name, *arguments):
        try:
            return super().call(name, *arguments)
        except BackendError as error:
            raise BackendError(f"{error}: {arguments}") from None


@breaks(70)
class ErrorsShowTheirCause(RemoteBackend):
    def call(self, name, *arguments):
        try:
            return super().call(name, *arguments)
        except BackendError as error:
            raise BackendError("the session backend failed") from KeyError(error, arguments)


@breaks(70)
class LogsHoldThePayload(PlainBackend):
    def insert(self, record, since):
        logging.getLogger("backend").debug("insert %r", record.sealed.hex())
        return super().insert(record, since)


@breaks(70)
class LogsHoldTheOwner(PlainBackend):
    def of(self, owner):
        logging.getLogger("backend").info("list %s", owner)
        return super().of(owner)


@breaks(70)
class ItsTextHoldsKeys(PlainBackend):
    def __repr__(self):
        return f"PlainBackend({list(self.owners)})"


def is_of_a_server(backend):
    return issubclass(backend, (RemoteBackend, AsyncRemoteBackend))
