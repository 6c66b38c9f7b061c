"""What a browser shows: the session library said again, without cryptography, over a table of what was sealed.

It knows tokens by heart instead of opening them, reads a Cookie header by the rules of the design, and predicts
what each response must say. Nothing of the package is used.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

FOUR_HUNDRED_DAYS = 400 * 86_400
SKEW = 60


@dataclass(frozen=True, slots=True)
class Times:
    """Of a session: which one it is, and when."""

    sid: str
    created: int
    updated: int
    expires: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A token: what is in it, and which secret sealed it."""

    contents: dict[str, Any]
    times: Times
    secret: int


@dataclass(frozen=True, slots=True)
class Rules:
    """A lifetime; `idle` is None for a session that is not rolling."""

    idle: int | None
    absolute: int | None
    renew_after: int

    def expires(self, created: int, updated: int) -> int:
        ends = [updated + self.idle] if self.idle is not None else []
        ends += [created + self.absolute] if self.absolute is not None else []
        return min(ends)

    def alive(self, times: Times, now: float) -> bool:
        return now < times.expires and now < self.expires(times.created, times.updated)

    def due(self, times: Times, now: float) -> bool:
        if self.idle is None or now - times.updated < self.renew_after:
            return False
        return self.absolute is None or times.updated + self.idle < times.created + self.absolute

    def moved(self, times: Times, now: float) -> Times:
        updated = max(times.updated, int(now))
        return replace(times, updated=updated, expires=self.expires(times.created, updated))


@dataclass(slots=True)
class Reading:
    """What a request came with."""

    contents: dict[str, Any] | None = None
    times: Times | None = None
    ambiguous: bool = False
    unknown_key: bool = False
    names: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    """Of the sessions whose tokens came, in the order in which a fence names them."""
    fence: tuple[str, ...] = ()


@dataclass(slots=True)
class Memory:
    """Everything that was ever sealed, by what it looks like in a cookie."""

    name: str
    seen_name: str
    fence_name: str
    rules: Rules
    tokens: dict[str, Sealed] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[Times, int]] = field(default_factory=dict)

    def learn(self, token: str, sealed: Sealed) -> None:
        self.tokens[token] = sealed
        self.heads[token.partition(".")[0]] = sealed.times.sid

    def mark(self, sid: str) -> str:
        digest = hashlib.sha256(
            b"sessionkit fence 1\0" + self.name.encode() + b"\0" + sid.encode()
        ).digest()
        return urlsafe_b64encode(digest).decode()[:22]

    def read(self, pairs: Sequence[tuple[str, str]], now: float, ring: Sequence[int]) -> Reading:
        """What a store with these secrets makes of a request's cookies, in the order in which they came."""
        whole = [value for name, value in pairs if name == self.name]
        chunks: dict[int, list[str]] = {}
        for name, value in pairs:
            number = re.fullmatch(re.escape(self.name) + r"\.(0|[1-9][0-9]{0,3})", name, re.ASCII)
            if number:
                chunks.setdefault(int(number[1]), []).append(value)
        marks = dict.fromkeys(
            part
            for name, value in pairs
            if name == self.fence_name
            for part in value.split(".")
            if re.fullmatch(r"[A-Za-z0-9_-]{22}", part)
        )
        reading = Reading(fence=tuple(marks)[:32])
        reading.names = frozenset(
            ([self.name] if whole else []) + [f"{self.name}.{number}" for number in chunks]
        )
        opened: dict[str, Sealed] = {}
        row = {
            number: values
            for number, values in chunks.items()
            if all(before in chunks for before in range(number))
        }
        rows = max(map(len, row.values()), default=0)
        if rows <= 4 and len(whole) <= 4:
            opened = self._opened(
                [*whole, *(row_of(row, index, self.tokens) for index in range(rows))],
                now,
                ring,
                reading,
            )
        heads = [
            self.heads.get(value.partition(".")[0])
            for value in [*whole[:4], *chunks.get(0, [])[:4]]
        ]
        reading.marks = tuple(
            self.mark(sid) for sid in dict.fromkeys([*opened, *filter(None, heads)])
        )
        seen = [value for name, value in pairs if name == self.seen_name][:4]
        self._choose(opened, seen, now, ring, reading)
        return reading

    def _opened(
        self, candidates: list[str], now: float, ring: Sequence[int], reading: Reading
    ) -> dict[str, Sealed]:
        """The newest token of each session, of those that open."""
        found: dict[str, Sealed] = {}
        for text in candidates:
            sealed = self.tokens.get(text)
            if sealed is None or sealed.times.updated > now + SKEW:
                continue
            if (
                self.rules.absolute is not None
                and now >= sealed.times.created + self.rules.absolute
            ):
                continue
            if sealed.secret not in ring:
                reading.unknown_key = True
                continue
            sid = sealed.times.sid
            if sid not in found or sealed.times.updated > found[sid].times.updated:
                found[sid] = sealed
        return found

    def _choose(
        self,
        opened: dict[str, Sealed],
        seen: list[str],
        now: float,
        ring: Sequence[int],
        reading: Reading,
    ) -> None:
        valid: list[tuple[dict[str, Any], Times]] = []
        for sealed in opened.values():
            times = sealed.times
            for value in seen:
                other, secret = self.seen.get(value, (None, -1))
                if (
                    other
                    and other.sid == times.sid
                    and secret in ring
                    and times.updated < other.updated <= now + SKEW
                ):
                    times = replace(times, updated=other.updated, expires=other.expires)
            times = replace(
                times, expires=min(times.expires, self.rules.expires(times.created, times.updated))
            )
            if self.mark(times.sid) not in reading.fence and self.rules.alive(times, now):
                valid.append((sealed.contents, times))
        valid = [one for one in valid if one[0].get("user")] or valid
        if len(valid) == 1:
            reading.contents, reading.times = valid[0]
        reading.ambiguous = len(valid) > 1


def row_of(chunks: dict[int, list[str]], index: int, tokens: dict[str, Sealed]) -> str:
    """The token that a row of chunks begins with, or nothing."""
    text, number = "", 0
    while number in chunks:
        values = chunks[number]
        text += values[min(index, len(values) - 1)]
        if text in tokens:
            return text
        number += 1
    return ""


@dataclass(slots=True)
class Answer:
    """What a response must say about the session."""

    kind: str  # "nothing", "ended", "sealed", "renewed"
    times: Times | None = None
    contents: dict[str, Any] | None = None
    marks: tuple[str, ...] = ()
    """The fence, when the response carries one."""


@dataclass(slots=True)
class Flight:
    """One request as the model sees it, from its header to its answer."""

    memory: Memory
    rules: Rules
    pairs: list[tuple[str, str]]
    ring: Sequence[int]
    clock: Callable[[], float]
    came: Reading | None = None
    contents: dict[str, Any] | None = None
    times: Times | None = None
    ended: bool = False
    deleted: bool = False
    touched: bool = False

    def load(self) -> Reading:
        """The cookies are read when somebody asks first."""
        if self.came is None:
            self.came = self.memory.read(self.pairs, self.clock(), self.ring)
            self.contents, self.times = (
                self.came.contents and dict(self.came.contents),
                self.came.times,
            )
        elif self.times is not None and not self.rules.alive(self.times, self.clock()):
            self.forget()
        return self.came

    def forget(self) -> None:
        self.contents = self.times = None
        self.touched = False

    @property
    def user(self) -> str | None:
        return self.contents["user"]["sub"] if self.contents and "user" in self.contents else None

    def begin(self, sid: str, contents: dict[str, Any]) -> None:
        now = int(self.clock())
        self.contents, self.times = contents, Times(sid, now, now, self.rules.expires(now, now))

    def answer(self, status: int) -> Answer:
        """What the response says, decided from what came, what is there now, and the status."""
        came, times, now = self.came, self.times, self.clock()
        if came is None:
            return Answer("nothing")
        fence = tuple(dict.fromkeys((*came.marks, *came.fence)))[:8] if came.marks else ()
        ending = (
            Answer("ended", marks=fence)
            if self.deleted or (self.ended and came.names)
            else Answer("nothing")
        )
        if status >= 500 or times is None or not self.rules.alive(times, now):
            return ending
        fresh = came.times is None or came.times.sid != times.sid
        if fresh or self.contents != came.contents:
            fenced = self.ended or (fresh and (came.times is not None or came.ambiguous))
            return Answer(
                "sealed", self.rules.moved(times, now), self.contents, fence if fenced else ()
            )
        if self.touched or (
            status != 304 and came.times is not None and self.rules.due(came.times, now)
        ):
            return Answer("renewed", self.rules.moved(times, now))
        return Answer("nothing")
