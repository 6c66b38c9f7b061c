"""`kill -9` of the server, or of the processes that serve the web, while sessions are written: what was answered holds."""

import http.client
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from .engines import ENGINES
from .web import serve

VISITORS = 4
MOST_ANSWERS = 60
WRITES_OF_A_SESSION = 8


@dataclass
class Life:
    """What a visitor knows about a session.

    Attributes:
        cookie: its cookie.
        sent: the tokens of its writes.
        acknowledged: those of them that were answered.
        logout: whether a logout was sent, and whether it was answered.
    """

    cookie: str
    sent: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    logout: str = ""

    def find_fault(self, visitor):
        """Return what the server says now, if it contradicts what was answered."""
        visitor.cookie = self.cookie
        done = visitor.get("done")
        if done is None:
            return None if self.logout else ("lost", self)
        if self.logout == "acknowledged":
            return "revived", self, done
        open_ones = [one for one in self.sent if one not in self.acknowledged]
        # A visitor stops at the first failure, so only the last write can be open.
        right = (self.acknowledged, self.acknowledged + open_ones)
        return None if done in right else ("wrong", self, done)


class Round:
    """Visitors who write, log out and log in again, until something is killed."""

    def __init__(self, web, kill):
        self.lives = []
        self.killed = threading.Event()
        self._web, self._kill = web, kill
        self._left = random.randint(VISITORS, MOST_ANSWERS)
        self._lock = threading.Lock()

    def run(self):
        with ThreadPoolExecutor(VISITORS) as pool:
            for one in [pool.submit(self._live, f"kill-{one}") for one in range(VISITORS)]:
                one.result()
        assert self.killed.is_set()

    def _live(self, user):
        visitor = self._web.visit()
        while self._ask(visitor, "login", user=user):
            life = Life(visitor.cookie)
            self.lives.append(life)
            for number in range(random.randrange(WRITES_OF_A_SESSION)):
                life.sent.append(str(number))
                if not self._ask(visitor, "write", token=life.sent[-1]):
                    return
                life.acknowledged.append(life.sent[-1])
            life.logout = "sent"
            if not self._ask(visitor, "logout"):
                return
            life.logout = "acknowledged"
            visitor.cookie = None

    def _ask(self, visitor, page, **query):
        """Return whether a page was answered before the kill; the visitor with the last answer before it kills."""
        try:
            answer = visitor.ask(page, **query)
        except (OSError, http.client.HTTPException):
            assert self.killed.is_set()
            visitor.close()
            return False
        if answer.status == 503:
            assert self.killed.is_set()
            return False
        assert answer.status == 200, answer
        with self._lock:
            self._left -= 1
            is_last = self._left == 0
        if is_last:
            self.killed.set()
            self._kill()
        # An answer that comes after the kill counts as one.
        return True


def count_lives(rounds):
    lives = [life for one in rounds for life in one.lives]
    writes = sum(len(life.acknowledged) for life in lives)
    logouts = sum(life.logout == "acknowledged" for life in lives)
    unclear = sum(
        life.logout == "sent" or len(life.sent) > len(life.acknowledged) for life in lives
    )
    return f"{len(rounds)} kills, {writes} writes and {logouts} logouts answered, {unclear} cut off"


def find_faults(web, one):
    visitor = web.visit()
    found = [fault for life in one.lives if (fault := life.find_fault(visitor))]
    visitor.close()
    return found


@pytest.mark.parametrize("name", ENGINES)
def test_what_was_answered_holds_when_the_web_server_is_killed(name, engine_named, length, counted):
    engine, start, rounds = engine_named(name), time.monotonic(), []
    with serve(engine.url) as web:
        for _ in range(length.worker_kills):
            rounds.append(Round(web, web.kill_workers))
            rounds[-1].run()
            assert find_faults(web, rounds[-1]) == []
    counted(f"{count_lives(rounds)}, {time.monotonic() - start:.1f} s")


@pytest.mark.parametrize("kind", ["redis", "redis awaited", "postgresql", "mariadb"])
def test_what_was_answered_holds_when_the_engine_is_killed(kind, engine_named, length, counted):
    name, _, awaited = kind.partition(" ")
    engine, start, rounds = engine_named(name), time.monotonic(), []
    kills = length.redis_kills if name == "redis" else length.sql_kills
    with serve(engine.awaited if awaited else engine.url) as web:
        for _ in range(kills):
            rounds.append(Round(web, engine.server.kill))
            try:
                rounds[-1].run()
            finally:
                engine.server.start()
            assert find_faults(web, rounds[-1]) == []
    counted(f"{count_lives(rounds)}, {time.monotonic() - start:.1f} s")
