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


@dataclass(frozen=True, slots=True)
class Barrier:
    """What ends all that began up to a time, but one session under its marks; each with the first of them."""

    time: int
    spared: dict[str, str]
    link: str = ""


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
    barrier: Barrier | None = None
    opened: bool = False
    unnamed: bool = False
    """A session may have come that no mark names."""
    overwritten: bool = False
    """Only sessions that have ended came. A late answer of one may have overwritten the cookie of the session that followed it."""


@dataclass(slots=True)
class Memory:
    """Everything that was ever sealed, by what it looks like in a cookie."""

    name: str
    seen_name: str
    fence_name: str
    barrier_name: str
    rules: Rules
    tokens: dict[str, Sealed] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[Times, int]] = field(default_factory=dict)
    barriers: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    """Of each that was sealed: the time, the mark that it spares, the secret."""
    links: dict[str, tuple[str, str, int]] = field(default_factory=dict)

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
        reading = Reading(fence=tuple(marks)[:32], barrier=self._barrier(pairs, ring))
        reading.unnamed = bool(chunks) and not whole and 0 not in chunks
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
            candidates = [*whole, *(self._row(row, index) for index in range(rows))]
            opened = self._opened(candidates, len(whole), now, ring, reading)
        heads = [
            self.heads.get(value.partition(".")[0])
            for value in [*whole[:4], *chunks.get(0, [])[:4]]
        ]
        reading.marks = tuple(
            self.mark(sid) for sid in dict.fromkeys([*opened, *filter(None, heads)])
        )
        reading.opened = bool(opened)
        seen = [value for name, value in pairs if name == self.seen_name][:4]
        self._choose(opened, seen, now, ring, reading)
        return reading

    def _barrier(self, pairs: Sequence[tuple[str, str]], ring: Sequence[int]) -> Barrier | None:
        """The latest barrier, and the link to what it spares."""
        values = [value for name, value in pairs if name == self.barrier_name][:8]
        known = [self.barriers[one] for one in values if one in self.barriers]
        known = [one for one in known if one[2] in ring]
        if not known:
            return None
        time = max(one[0] for one in known)
        spared, link = {one[1]: one[1] for one in known if one[0] == time}, ""
        firsts = [value.split(".")[0] for name, value in pairs if name == self.fence_name]
        for text in [one for one in firsts if one in self.links][:8]:
            mark, first, secret = self.links[text]
            if secret in ring and first in spared:
                spared[mark], link = first, text
        return Barrier(time, spared, link)

    def _row(self, chunks: dict[int, list[str]], index: int) -> str:
        """The token of a row, in the order of the header or, where that is none, in another."""
        doubled = [number for number, values in chunks.items() if number and len(values) > 1]
        for moved in ([], doubled, *([one] for one in doubled)):
            turned = {
                number: values[::-1] if number in moved else values
                for number, values in chunks.items()
            }
            text = row_of(turned, index, self.tokens)
            if text:
                return text
        return ""

    def ends(self, barrier: Barrier | None, times: Times) -> bool:
        """Whether a barrier ends a session."""
        if barrier is None or times.created > barrier.time:
            return False
        return self.mark(times.sid) not in barrier.spared

    def _opened(
        self,
        candidates: list[str],
        whole: int,
        now: float,
        ring: Sequence[int],
        reading: Reading,
    ) -> dict[str, Sealed]:
        """The newest token of each session, of those that open. Of equal ones a whole cookie, and the last."""
        found: dict[str, Sealed] = {}
        are_whole: dict[str, bool] = {}
        for number, text in enumerate(candidates):
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
            is_whole, updated = number < whole, sealed.times.updated
            if sid not in found or (updated, is_whole) >= (
                found[sid].times.updated,
                are_whole[sid],
            ):
                found[sid], are_whole[sid] = sealed, is_whole
        return found

    def _choose(
        self,
        opened: dict[str, Sealed],
        seen: list[str],
        now: float,
        ring: Sequence[int],
        reading: Reading,
    ) -> None:
        valid: list[tuple[dict[str, Any], Times, Times]] = []
        ended = False
        for sealed in opened.values():
            times = own = sealed.times
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
            over = self.mark(times.sid) in reading.fence or self.ends(reading.barrier, times)
            ended = ended or over
            if not over and self.rules.alive(times, now):
                valid.append((sealed.contents, times, own))
        reading.overwritten = ended and not valid
        valid = [one for one in valid if one[0].get("user")] or valid
        users = [one[0].get("user") for one in valid]
        reading.ambiguous = len(valid) > 1 and (
            not users[0] or any(one != users[0] for one in users)
        )
        if valid and not reading.ambiguous:
            # Of one user the newest.
            newest = max(valid, key=lambda one: (one[2].updated, one[2].created))
            reading.contents, reading.times = newest[:2]


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
    link: tuple[str, str] | str = ""
    """In the fence: the new mark and the first one, or the text that came."""
    barrier: tuple[int, str] | None = None
    """The time and the mark that it spares, when the response carries one."""
    hidden: bool = False
    """Whether cookies are cleared that may be there, and did not come."""


@dataclass(slots=True)
class Flight:
    """One request as the model sees it, from its header to its answer."""

    memory: Memory
    rules: Rules
    pairs: list[tuple[str, str]]
    ring: Sequence[int]
    clock: Callable[[], float]
    cross_site: bool = False
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
        hidden = self.ended and self.cross_site and not came.opened
        blind = hidden or (self.ended and (came.unnamed or came.overwritten))
        ending = (
            self._with_fence(Answer("ended", hidden=hidden), barrier="" if blind else None)
            if self.deleted or (self.ended and (came.names or blind))
            else Answer("nothing")
        )
        if status >= 500 or times is None or not self.rules.alive(times, now):
            return ending
        fresh = came.times is None or came.times.sid != times.sid
        if fresh or self.contents != came.contents:
            moved, mark = self.rules.moved(times, now), self.memory.mark(times.sid)
            answer = Answer("sealed", moved, self.contents, hidden=hidden)
            fenced = self.ended or (fresh and (came.times is not None or came.ambiguous))
            if blind or self.memory.ends(came.barrier, moved):
                if came.times is not None and came.barrier is not None and not self.ended:
                    before = self.memory.mark(came.times.sid)
                    link = (mark, came.barrier.spared.get(before, before))
                    return self._with_fence(answer, link=link)
                return self._with_fence(answer, fenced=fenced, barrier=mark)
            return self._with_fence(answer, fenced=fenced)
        if self.touched or (
            status != 304 and came.times is not None and self.rules.due(came.times, now)
        ):
            return Answer("renewed", self.rules.moved(times, now))
        return Answer("nothing")

    def _with_fence(
        self,
        answer: Answer,
        *,
        fenced: bool = True,
        link: tuple[str, str] | None = None,
        barrier: str | None = None,
    ) -> Answer:
        """Add the marks of what came, a link, and a barrier that spares a session."""
        came = self.came
        assert came is not None
        known = came.barrier
        if (came.marks and fenced) or link:
            answer.marks = tuple(dict.fromkeys((*came.marks, *came.fence)))[:8]
            answer.link = link or (known.link if known else "")
        if barrier is not None:
            answer.barrier = (max(int(self.clock()) + SKEW, known.time if known else 0), barrier)
        return answer
