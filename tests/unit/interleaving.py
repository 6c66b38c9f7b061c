"""All orders in which the requests of one browser can reach a backend: one operation after another, without a server."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from sessionkit import SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit._management.revoking import revoke_session
from sessionkit.backends import MemoryBackend
from sessionkit.errors import BackendError, ConflictError

from .browser_jar import BrowserJar
from .scene import ALICE, SECRET, Clock

Contents = dict[str, Any]


class Snapshotted(MemoryBackend):
    """A backend that goes back to how it was."""

    def save(self) -> None:
        (self.saved,) = self._records.values()

    def restore(self) -> None:
        self._records, self._owners, self._expiries = {}, {}, []
        MemoryBackend.insert(self, self.saved, 0)


class Upserting(Snapshotted):
    """A store as sessions mostly have: what is written is there."""

    def insert(self, record: Any, since: float) -> bool:
        self.delete(record.key, record.owner)
        return super().insert(record, since)

    def replace(self, record: Any, version: bytes) -> Any:
        self.insert(record, 0)
        return True

    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        super().touch(key, owner, updated_at, expires_at)
        return True


class Uncompared(Snapshotted):
    """A store that writes what exists only, and compares no version."""

    def replace(self, record: Any, version: bytes) -> Any:
        present = self.load(record.key, record.owner)
        return False if present is None else super().replace(record, present.version)


def _update(exchange: Exchange, number: int) -> None:
    exchange.contents[f"u{number}"] = number


def _count(exchange: Exchange, number: int) -> None:
    exchange.update(lambda session: {**session, "n": session["n"] + 1})


def _look(exchange: Exchange, number: int) -> None:
    exchange.get()


ACTIONS: dict[str, Callable[[Exchange, int], Any]] = {
    "read": _look,
    "renew": _look,
    "update": _update,
    "function": _count,
    "delete": lambda exchange, number: exchange.delete(),
    "login": lambda exchange, number: exchange.create({**ALICE, "n": 0, "login": number}),
    "rotate": lambda exchange, number: exchange.rotate(),
}
WRITES = ("update", "function")


@dataclass
class Outcome:
    """What has become of a run, and what is wrong with it."""

    revived: int = 0
    lost: int = 0
    orphans: int = 0
    vanished: int = 0
    kept: set[tuple[str, int]] = field(default_factory=set)

    @property
    def damage(self) -> int:
        return self.revived + self.lost + self.orphans + self.vanished


class World:
    """A store, a backend and a browser that is signed in; each run begins there."""

    def __init__(self, kind: type[Snapshotted] = Snapshotted) -> None:
        self.clock = Clock()
        self.backend = kind(clock=self.clock)
        self.store = SessionStore(SECRET, backend=self.backend, clock=self.clock)
        with self.store.exchange() as exchange:
            exchange.create({**ALICE, "n": 0})
        self.lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
        self.backend.save()
        self.clock.wait(3600)

    def begin(self) -> None:
        self.backend.restore()
        self.jar = BrowserJar(self.clock)
        self.jar.receive(self.lines)
        self.header = self.jar.header()
        self.acknowledged: set[tuple[str, int]] = set()

    def serve(self, action: str, number: int) -> Generator[None, None, None]:
        """One request: it loads, then each operation is a step, and the browser has the answer."""
        method = "GET" if action == "renew" else "OPTIONS"
        exchange = self.store.begin(HeaderRequest(self.header, method=method))
        exchange.supply([self.backend.load(*one) for one in exchange.wanted])
        ACTIONS[action](exchange, number)
        yield
        status = yield from self.settle(exchange, number)
        if status is None:
            return
        changes = exchange.commit(status)
        self.jar.receive(value for name, value in changes.add if name == "Set-Cookie")
        if exchange.get() is not None and status < 500:
            self.acknowledged.add((action, number))

    def settle(self, exchange: Exchange, number: int) -> Generator[None, None, int | None]:
        """Perform the operations, and return the status of the answer; None if nobody is answered."""
        try:
            yield from self.perform(exchange, number, 200)
        except ConflictError:
            return None
        return 200

    def perform(self, exchange: Exchange, number: int, status: int) -> Generator[None, None, None]:
        while True:
            operation, _ = exchange.decide(status)
            if operation is None:
                return
            exchange.took(operation, self.reply(operation, number))
            yield

    def reply(self, operation: Any, number: int) -> Any:
        return operation.on(self.backend)

    def judge(self, actions: Sequence[str]) -> Outcome:
        """Compare what is there with what the requests were told."""
        alive = [info.contents for info in self.store.sessions_of(ALICE)]
        before = [contents for contents in alive if "login" not in contents]
        begun = [contents for contents in alive if "login" in contents]
        outcome = Outcome(kept=self.acknowledged)
        ends = "delete" in actions or "login" in actions
        if ends:
            # A logout or a login has ended the session that was there, and whatever a rotation has made of it.
            outcome.revived = len(before)
        outcome.orphans = max(0, len(before) - 1) + max(0, len(begun) - actions.count("login"))
        if not ends:
            shown = self.store.begin(HeaderRequest(self.jar.header()))
            shown.drive()
            contents = shown.get()
            if contents is None:
                outcome.vanished = 1
                return outcome
            told = [number for action, number in self.acknowledged if action == "function"]
            outcome.lost = len(told) - contents["n"]
            outcome.lost += sum(
                f"u{number}" not in contents
                for action, number in self.acknowledged
                if action == "update"
            )
        return outcome


class Fault(NamedTuple):
    """The one operation of a run that has no reply, and what the application answers then."""

    request: int
    place: int
    performed: bool
    status: int | None


class Faulty(World):
    """A world in which one operation has no reply."""

    def begin(self) -> None:
        super().begin()
        self.places = [0, 0]
        self.met = False

    def reply(self, operation: Any, number: int) -> Any:
        self.places[number] += 1
        if (number, self.places[number] - 1) != self.fault[:2]:
            return super().reply(operation, number)
        self.met = True
        if self.fault.performed:
            super().reply(operation, number)
        return BackendError("no reply")

    def settle(self, exchange: Exchange, number: int) -> Generator[None, None, int | None]:
        try:
            yield from self.perform(exchange, number, 200)
        except ConflictError:
            return None
        except BackendError:
            if self.fault.status is None and not exchange.must_settle:
                return None
            try:
                yield from self.perform(exchange, number, self.fault.status or 500)
            except ConflictError:
                yield from self.perform(exchange, number, 500)
                return 500
            return self.fault.status
        return 200

    def judge(self, actions: Sequence[str]) -> Outcome:
        outcome = super().judge(actions)
        if outcome.lost < 0:
            # A change that was answered with an error may have been made all the same, but once only.
            outcome.lost = max(0, -outcome.lost - (actions[self.fault.request] == "function"))
        if self.fault.status is None and actions[self.fault.request] == "rotate":
            # The browser was never told the new id.
            outcome.vanished = 0
        return outcome


class Revoking(Faulty):
    """A world in which one of the two is an operator who revokes the session, and calls again after an error."""

    def __init__(self) -> None:
        super().__init__()
        (info,) = self.store.sessions_of(ALICE)
        self.handle = info.handle

    def begin(self) -> None:
        super().begin()
        self.told: list[Any] = []

    def serve(self, action: str, number: int) -> Generator[None, None, None]:
        if action != "revoke":
            yield from super().serve(action, number)
            return
        yield
        while self.told in ([], [BackendError]):
            try:
                self.told.append((yield from self.revoke(number)))
            except BackendError as error:
                self.told.append(type(error))

    def revoke(self, number: int) -> Generator[None, None, bool]:
        steps = revoke_session(self.store.settings, self.handle)
        reply: Any = None
        while True:
            try:
                failed = isinstance(reply, BackendError)
                operation = steps.throw(reply) if failed else steps.send(reply)
            except StopIteration as end:
                return bool(end.value)
            reply = self.reply(operation, number)
            yield

    def judge(self, actions: Sequence[str]) -> Outcome:
        alive = [info.contents for info in self.store.sessions_of(ALICE)]
        return Outcome(revived=sum("login" not in contents for contents in alive))


def run_faults(
    world: Faulty, actions: Sequence[str], request: int, performed: bool, status: int | None
) -> Iterator[Outcome]:
    """Run requests in every order, once with each operation of one request as the fault, and yield each run that met it."""
    for place in count():
        world.fault = Fault(request, place, performed, status)
        has_met = False
        for outcome in run_orders(world, actions):
            if world.met:
                has_met = True
                yield outcome
        if not has_met:
            return


def run_orders(world: World, actions: Sequence[str]) -> Iterator[Outcome]:
    """Run requests in every order of their steps, depth first, and yield what became of each."""
    choices: list[int] = []
    while True:
        world.begin()
        running = [world.serve(action, number) for number, action in enumerate(actions)]
        widths: list[int] = []
        while running:
            depth = len(widths)
            if depth == len(choices):
                choices.append(0)
            widths.append(len(running))
            request = running[choices[depth]]
            try:
                next(request)
            except StopIteration:
                running.remove(request)
        yield world.judge(actions)
        while choices and choices[-1] == widths[len(choices) - 1] - 1:
            choices.pop()
        if not choices:
            return
        choices[-1] += 1
