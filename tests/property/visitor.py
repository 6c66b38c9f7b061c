"""A visitor's browser and the servers it talks to: sends requests, and compares each answer with the model."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from sessionkit import (
    Absence,
    CookieSettings,
    Exchange,
    Lifetime,
    SessionStore,
    SessionTooLargeError,
)
from sessionkit._exchange.request import HeaderRequest

from .jar import Jar
from .model import FOUR_HUNDRED_DAYS, Answer, Flight, Memory, Rules, Sealed, Times

HOST, SIBLING, DOMAIN = "www.example.org", "evil.example.org", "example.org"
MAX_BYTES = 7168
SECRETS = [f"the {number}th secret of the property tests, 0123456789" for number in range(60)]
LIFETIMES = [
    (Rules(600, 3_600, 60), Lifetime(idle=600, absolute=3_600, renew_after=60)),
    (Rules(600, 3_600, 0), Lifetime(idle=600, absolute=3_600, renew_after=0)),
    (Rules(300, None, 60), Lifetime(idle=300, absolute=None, renew_after=60)),
    (Rules(None, 1_800, 0), Lifetime(rolling=False, absolute=1_800)),
    (Rules(86_400, 604_800, 60), Lifetime()),
]
SIZES = [
    0,
    700,
    2_600,
    2_680,
    2_690,
    2_700,
    3_100,
    4_900,
]  # one cookie, about the limit, two cookies

OPS: list[tuple[str, Any]] = [
    ("read", None),
    *(("login", (user, size)) for user in ("alice", "bob") for size in (0, 2_700)),
    *(("update", size) for size in SIZES),
    ("change in place", None),
    ("cart", None),
    ("touch", None),
    ("rotate", None),
    ("logout", None),
    ("logout", None),
    ("update too large", None),
    ("update as another", None),
    ("update with nothing", None),
]
GARBAGE = [
    "",
    "x",
    "a.b.c.d.e",
    "....",
    "a" * 99,
    "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA",
    "\xff~",
    '"quoted"',
    "%00",
]
ALIKE = ["{}.00", "{}.x", "{}.01", "{}.", "{}2", "X{}", "{}.10000", " \xa0{}", "{}.-1", "{}.\u0661"]


class Response:
    """On its way to the browser."""

    def __init__(
        self,
        lines: list[str],
        marks: tuple[str, ...],
        known: tuple[str, ...],
        sent: int,
        begun: set[str],
    ) -> None:
        self.lines = lines
        self.marks = marks
        self.known = known
        self.sent = sent
        self.begun = begun


class Visitor(RuleBasedStateMachine):
    """One visitor's browser and the servers it talks to; what happens to them is written where it is played."""

    cookie: ClassVar[CookieSettings]
    name: ClassVar[str]
    prefix: ClassVar[str]
    protected: ClassVar[bool]

    @initialize(
        lifetime=st.sampled_from(LIFETIMES),
        skew=st.sampled_from([0, 0, 25]),
        transient=st.booleans(),
    )
    def open_the_browser(
        self, lifetime: tuple[Rules, Lifetime], skew: int, transient: bool
    ) -> None:
        self.now = 1_700_000_000.0
        self.rules, self.lifetime = lifetime
        self.skew = skew
        rest = self.name.removeprefix(self.prefix)
        self.seen_name, self.fence_name = f"{self.prefix}seen.{rest}", f"{self.prefix}out.{rest}"
        self.barrier_name = f"{self.prefix}before.{rest}"
        names = self.name, self.seen_name, self.fence_name, self.barrier_name
        self.memory = Memory(*names, self.rules)
        self.settings = CookieSettings(name=self.cookie.name, transient=transient)
        self.jar = Jar(HOST, lambda: self.now)
        self.stores: dict[tuple[tuple[int, ...], int], SessionStore] = {}
        self.first_secret, self.stage, self.leaked = 0, 0, False
        self.fleet: list[tuple[int, ...]] = [(0,)]
        self.flights: list[tuple[Exchange, Flight, int, frozenset[str]]] = []
        self.responses: list[Response] = []
        self.loot: list[tuple[str, str]] = []
        self.owners: dict[str, str | None] = {}
        self.last_shown: dict[str, float] = {}
        self.dead: set[str] = set()
        self.barred: set[str] = set()
        self.arrived = 0
        self.raced = False
        self.counter = 0

    def store(self, ring: tuple[int, ...], offset: int) -> SessionStore:
        if (ring, offset) not in self.stores:
            self.stores[ring, offset] = SessionStore(
                [SECRETS[number] for number in ring],
                lifetime=self.lifetime,
                cookie=self.settings,
                clock=lambda: self.now + offset,
            )
        return self.stores[ring, offset]

    def send(
        self, worker: int, pairs: list[tuple[str, str]] | None = None, *, cross_site: bool = False
    ) -> tuple[Exchange, Flight, int, frozenset[str]]:
        if pairs is None:
            pairs = [(one.name, one.value) for one in self.jar.cookies()]
        ring, offset = self.fleet[worker % len(self.fleet)], self.skew if worker < 2 else -self.skew
        header = "; ".join(f"{name}={value}" for name, value in pairs)
        headers = {"Sec-Fetch-Site": "cross-site" if cross_site else "same-origin"}
        request = HeaderRequest(header, method="POST", headers=headers)
        exchange = self.store(ring, offset).begin(request)
        clock = lambda: self.now + offset  # noqa: E731
        flight = Flight(self.memory, self.rules, pairs, ring, clock, cross_site)
        return exchange, flight, self.arrived, frozenset(self.dead | self.barred)

    def act(
        self, sent: tuple[Exchange, Flight, int, frozenset[str]], ops: list[tuple[str, Any]]
    ) -> tuple[Exchange, Flight, int, frozenset[str]]:
        exchange, flight, _, dead = sent
        for name, what in ops:
            self.look(exchange, flight, dead)
            self.perform(exchange, flight, name, what)
        return sent

    def look(self, exchange: Exchange, flight: Flight, dead: frozenset[str]) -> None:
        """What the request sees is what the model says, and nothing that it must not see."""
        first = flight.came is None
        came = flight.load()
        session = exchange.get()
        assert (dict(session) if session is not None else None) == (
            flight.contents if flight.user else None
        )
        assert dict(exchange.contents) == (flight.contents or {})
        stamp = exchange.contents.stamp
        shown = (
            None
            if stamp is None
            else Times(stamp.id, stamp.created_at, stamp.updated_at, stamp.expires_at)
        )
        assert shown == flight.times
        if first:
            assert (exchange.absence is Absence.AMBIGUOUS) == came.ambiguous
            assert not came.unknown_key or self.leaked or self.rules.absolute is None
            self.check_seen(flight, dead)

    def check_seen(self, flight: Flight, dead: frozenset[str]) -> None:
        """What holds whatever the model says."""
        if flight.times is None:
            return
        sid, now = flight.times.sid, flight.clock()
        assert self.memory.mark(sid) not in dead
        assert flight.user == self.owners[sid]
        if flight.user == "mallory":
            # Without the prefix a sibling host may sign in a visitor who is nobody, and no more.
            own = [(one.name, one.value) for one in self.jar.cookies() if one.host_only]
            assert not self.protected
            alone = self.memory.read(own, now, flight.ring).contents or {}
            assert alone.get("user") in (None, {"sub": "mallory"})
        slack = 2 * self.skew
        assert now - flight.times.created < (self.rules.absolute or FOUR_HUNDRED_DAYS * 99) + slack
        assert now - self.last_shown[sid] < (self.rules.idle or FOUR_HUNDRED_DAYS * 99) + slack
        self.last_shown[sid] = max(now, self.last_shown[sid])

    def perform(self, exchange: Exchange, flight: Flight, op: str, what: Any) -> None:
        self.counter += 1
        user, now = flight.user, flight.clock()
        if op == "login":
            session = exchange.create(self.contents(what[0], what[1]))
            assert session.stamp is not None
            assert session.stamp.id not in self.owners
            flight.begin(session.stamp.id, self.contents(what[0], what[1]))
            self.owned(flight, what[0])
            flight.ended = True
        elif op == "update":
            done = exchange.update(self.contents(user or "alice", what))
            assert done == (user is not None)
            if done and flight.times:
                flight.contents, flight.times = (
                    self.contents(user or "alice", what),
                    self.rules.moved(flight.times, now),
                )
        elif op == "update too large":
            if user is None:
                assert exchange.update(self.contents("alice", 8_000)) is False
            else:
                with pytest.raises(SessionTooLargeError):
                    exchange.update(self.contents(user, 8_000))
        elif op == "update as another":
            assert exchange.update(self.contents("eve", 0)) is False
        elif op == "update with nothing":
            assert exchange.update() is False
        elif op == "change in place":
            session = exchange.get()
            if session is not None and flight.contents is not None:
                session["list"] = flight.contents["list"] = [self.counter]
        elif op == "cart":
            exchange.contents["cart"] = self.counter
            if flight.contents is None:
                stamp = exchange.contents.stamp
                assert stamp is not None
                flight.begin(stamp.id, {})
                self.owned(flight, None)
            flight.contents = {**(flight.contents or {}), "cart": self.counter}
        elif op == "touch":
            moves = flight.times is not None and self.rules.idle is not None
            assert exchange.touch() is moves
            if moves and flight.times:
                flight.times, flight.touched = self.rules.moved(flight.times, now), True
        elif op == "rotate":
            assert exchange.rotate() is (flight.times is not None)
            if flight.times is not None and exchange.contents.stamp is not None:
                moved = self.rules.moved(flight.times, now)
                assert exchange.contents.stamp.id not in self.owners
                flight.times = Times(
                    exchange.contents.stamp.id, moved.created, moved.updated, moved.expires
                )
                self.owned(flight, user)
        elif op == "logout":
            assert exchange.delete() is (flight.times is not None)
            flight.forget()
            flight.ended = flight.deleted = True

    def contents(self, user: str, size: int) -> dict[str, Any]:
        return {"user": {"sub": user}, "n": self.counter, "pad": "x" * size}

    def owned(self, flight: Flight, user: str | None) -> None:
        assert flight.times is not None
        self.owners[flight.times.sid] = user
        self.last_shown[flight.times.sid] = flight.clock()

    def answer(self, sent: tuple[Exchange, Flight, int, frozenset[str]], status: int) -> Response:
        """Commit; the lines are those that the model expects."""
        exchange, flight, number, _ = sent
        exchange.commit(status)
        lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
        exchange.finish()
        self.check_lines(flight, flight.answer(status), lines)
        came = flight.came
        barred = {self.memory.mark(sid) for sid in self.owners}
        return Response(
            lines, came.marks if came else (), came.fence if came else (), number, barred
        )

    def check_lines(self, flight: Flight, expected: Answer, lines: list[str]) -> None:
        sizes = [len(line) for line in lines]
        assert max(sizes, default=0) <= 4096
        parts = [line.partition(";")[0].partition("=") for line in lines]
        given = {name: value for name, _, value in parts}
        assert len(given) == len(lines)
        self.check_fence(flight, expected, given.pop(self.fence_name, ""))
        self.check_barrier(flight, expected, given.pop(self.barrier_name, ""))
        written = {name: value for name, value in given.items() if value}
        cleared = set(given) - set(written)
        came = flight.came
        ours = came.names if came else frozenset()
        if expected.hidden:
            ours |= {self.name, f"{self.name}.0", f"{self.name}.1", self.seen_name}
        elif came and expected.kind == "sealed" and not (flight.ended or came.times):
            ours = frozenset()  # nobody's end, and another session's cookies
        now = int(flight.clock())
        ages = {
            line.partition("=")[0]: line.partition("; Max-Age=")[2].partition(";")[0]
            for line in lines
        }
        if expected.kind == "nothing":
            assert lines == []
        elif expected.kind == "ended":
            assert (written, cleared) == ({}, {self.name, self.seen_name, *ours})
        elif expected.kind == "renewed":
            assert (list(written), cleared, expected.times is not None) == (
                [self.seen_name],
                set(),
                True,
            )
            self.remember_renewal(flight, expected, written[self.seen_name])
        else:
            assert cleared == ours - set(written)
            count = len(written)
            assert sorted(written) in (
                [self.name],
                [f"{self.name}.{number}" for number in range(count)],
            )
            assert (
                sum(len(name) + 1 + len(value) + 2 for name, value in written.items()) <= MAX_BYTES
            )
            assert expected.times is not None
            assert expected.contents is not None
            age = (
                FOUR_HUNDRED_DAYS
                if self.rules.absolute is None
                else expected.times.created + self.rules.absolute - now
            )
            assert {ages[name] for name in written} == {"" if self.settings.transient else str(age)}
            token = "".join(written[name] for name in sorted(written))
            self.memory.learn(
                token, Sealed(dict(expected.contents), expected.times, flight.ring[0])
            )
        assert all(ages[name] == "0" for name in cleared)

    def check_fence(self, flight: Flight, expected: Answer, fence: str) -> None:
        parts = fence.split(".") if fence else []
        if isinstance(expected.link, tuple):
            assert parts[0].count("~") == 5
            self.memory.links[parts.pop(0)] = (*expected.link, flight.ring[0])
        elif expected.link:
            assert parts.pop(0) == expected.link
        assert tuple(parts) == expected.marks

    def check_barrier(self, flight: Flight, expected: Answer, barrier: str) -> None:
        assert bool(barrier) is (expected.barrier is not None)
        if expected.barrier is not None:
            _, time, spared, _, _ = barrier.split("~")
            assert (int(time), spared) == expected.barrier
            self.memory.barriers[barrier] = (*expected.barrier, flight.ring[0])

    def remember_renewal(self, flight: Flight, expected: Answer, value: str) -> None:
        assert expected.times is not None
        _, updated, expires, _, _ = value.split(".")
        assert (int(updated), int(expires)) == (expected.times.updated, expected.times.expires)
        self.memory.seen[value] = (expected.times, flight.ring[0])

    def deliver(self, response: Response) -> None:
        """The browser takes a response's cookies, all of them."""
        self.raced = self.raced or response.sent != self.arrived
        if response.lines:
            self.arrived += 1
        for line in response.lines:
            assert self.jar.store(line)
            if line.startswith(self.fence_name + "="):
                self.fenced(response, line.partition(";")[0].partition("=")[2].split("."))
            if line.startswith(self.barrier_name + "="):
                self.barred = response.begun - {line.split("~")[2]}
        used = sum(
            len(one.name) + 1 + len(one.value) + 2
            for one in self.jar.cookies()
            if one.host_only
            and (one.name == self.name or one.name.startswith(self.name + "."))
            and one.value not in GARBAGE
        )
        assert used <= (2 * MAX_BYTES if self.raced else MAX_BYTES)

    def fenced(self, response: Response, marks: list[str]) -> None:
        """Sessions that end stay ended, but for what the fence is documented to forget."""
        self.dead.update(response.marks)
        marks = [one for one in marks if "~" not in one]
        for mark in self.dead - set(marks):
            # Eight sessions later, or by an end that was asked for before this one was known.
            assert len(marks) == 8 or mark not in response.known
            self.dead.discard(mark)
