"""A browser lives through logins, updates, logouts, late responses, planted cookies and changing secrets, beside a model.

Every step is compared with the model: what each request sees, what each verb returns, what each response says. Besides
that, and without the model: a session that was ended in the browser is never seen again, nobody sees what
another user's session holds, no use is forgotten too late, the cookies stay within their limits.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from sessionkit import CookieSettings

from .conftest import PROFILE
from .model import FOUR_HUNDRED_DAYS
from .visitor import ALIKE, DOMAIN, GARBAGE, OPS, SECRETS, SIBLING, Visitor


class Browser(Visitor):
    """One visitor's browser, the servers it talks to, and somebody on a sibling host."""

    # ---- what happens

    @rule(
        ops=st.lists(st.sampled_from(OPS), min_size=1, max_size=3),
        worker=st.integers(0, 3),
        status=st.sampled_from([200, 200, 200, 304, 500]),
    )
    def request(self, ops: list[tuple[str, Any]], worker: int, status: int) -> None:
        """A request that is answered at once."""
        self.deliver(self.answer(self.act(self.send(worker), ops), status))

    @rule(
        op=st.sampled_from(
            [
                *(("login", (user, size)) for user in ("alice", "bob") for size in (0, 2_700)),
                ("logout", None),
            ]
        ),
        worker=st.integers(0, 3),
        status=st.sampled_from([200, 200, 200, 500]),
        late=st.booleans(),
    )
    def another_sites_post(self, op: tuple[str, Any], worker: int, status: int, late: bool) -> None:
        """A login or logout by a form of another site, with which the browser sends no cookies."""
        response = self.answer(self.act(self.send(worker, [], cross_site=True), [op]), status)
        if late:
            self.responses.append(response)
        else:
            self.deliver(response)

    @rule(ops=st.lists(st.sampled_from(OPS), max_size=2), worker=st.integers(0, 3))
    def slow_request(self, ops: list[tuple[str, Any]], worker: int) -> None:
        """A request that is begun, and answered some other time."""
        if len(self.flights) < 6:
            self.flights.append(self.act(self.send(worker), ops))

    @precondition(lambda self: self.flights)
    @rule(
        which=st.integers(0, 5),
        ops=st.lists(st.sampled_from(OPS), max_size=2),
        status=st.sampled_from([200, 200, 200, 500]),
        late=st.booleans(),
    )
    def slow_request_ends(
        self, which: int, ops: list[tuple[str, Any]], status: int, late: bool
    ) -> None:
        response = self.answer(self.act(self.flights.pop(which % len(self.flights)), ops), status)
        if late:
            self.responses.append(response)
        else:
            self.deliver(response)

    @precondition(lambda self: self.responses)
    @rule(which=st.integers(0, 5))
    def late_response(self, which: int) -> None:
        self.deliver(self.responses.pop(which % len(self.responses)))

    @rule(
        part=st.sampled_from(
            [
                0.5,
                1,
                30,
                59,
                60,
                "renew",
                "idle-renew",
                "idle-1",
                "idle",
                "absolute-1",
                "absolute",
                3_599,
                3_600,
            ]
        )
    )
    def wait(self, part: float | str) -> None:
        idle, absolute = self.rules.idle or 900, self.rules.absolute or 7_200
        spans = {
            "renew": self.rules.renew_after,
            "idle-renew": idle - self.rules.renew_after,
            "idle-1": idle - 1,
            "idle": idle,
            "absolute-1": absolute - 1,
            "absolute": absolute,
        }
        self.now += spans[part] if isinstance(part, str) else part

    @rule()
    def close_and_open(self) -> None:
        self.jar.close()

    @rule()
    def deploy(self) -> None:
        """Change secrets without anybody noticing: one more of six half-steps."""
        old, new = self.first_secret, self.first_secret + 1
        if len(self.fleet) == 2:
            self.fleet = self.fleet[1:]
            self.stage = (self.stage + 1) % 3
            self.first_secret += self.stage == 0
        else:
            if (
                self.stage == 2
            ):  # the last deployment waits until what the old secret sealed is over
                self.now += (self.rules.absolute or FOUR_HUNDRED_DAYS) + 2 * 60
                self.flights.clear()  # no request takes that long
            self.fleet.append([(old, new), (new, old), (new,)][self.stage])

    @rule()
    def leak(self) -> None:
        """A secret has leaked: another one at once."""
        if self.first_secret < len(SECRETS) - 4:
            self.first_secret += 2
            self.stage, self.leaked = 0, True
            self.fleet = [(self.first_secret,)]

    @rule(size=st.sampled_from([0, 0, 3_100]), worker=st.integers(0, 3))
    def somebody_else_logs_in(self, size: int, worker: int) -> None:
        """Mallory has an account too, and a browser that lets her see her cookies."""
        flight = self.act(self.send(worker, []), [("login", ("mallory", size)), ("touch", None)])
        response = self.answer(flight, 200)
        self.loot = [
            (name, value)
            for name, _, value in (line.partition(";")[0].partition("=") for line in response.lines)
            if value
        ][-4:]

    @rule(which=st.integers(0, 3), domain=st.booleans())
    def somebody_plants_her_cookie(self, which: int, domain: bool) -> None:
        if self.loot:
            name, value = self.loot[which % len(self.loot)]
            self.plant(name, value, domain)

    @rule(which=st.integers(0, 7))
    def somebody_plants_a_copy(self, which: int) -> None:
        """An older cookie of this very browser comes back with another domain."""
        mine = list(self.memory.tokens)
        if mine:
            self.plant(self.name, mine[-1 - which % len(mine)], True)

    @rule(name=st.sampled_from(ALIKE), value=st.sampled_from(GARBAGE), domain=st.booleans())
    def somebody_plants_what_looks_alike(self, name: str, value: str, domain: bool) -> None:
        self.plant(name.format(self.name), value, domain)

    @rule(
        label=st.sampled_from(["", ".0", ".1", ".3", "seen", "out", "before"]),
        value=st.sampled_from(GARBAGE),
        domain=st.booleans(),
    )
    def somebody_plants_garbage(self, label: str, value: str, domain: bool) -> None:
        beside = {"seen": self.seen_name, "out": self.fence_name, "before": self.barrier_name}
        self.plant(beside.get(label, self.name + label), value, domain)

    @rule(name=st.sampled_from(["", ".0", ".1"]), value=st.sampled_from(GARBAGE))
    def something_on_the_same_host_writes_our_name(self, name: str, value: str) -> None:
        self.jar.store(f"{self.name}{name}={value}; Path=/; Secure")

    # ---- how it happens

    def plant(self, name: str, value: str, domain: bool) -> None:
        """From the sibling host, which can set cookies for the common domain and for itself."""
        where = f"; Domain={DOMAIN}" if domain else ""
        taken = self.jar.store(f"{name}={value}; Path=/; Secure{where}", host=SIBLING)
        assert not (taken and domain and name.startswith("__Host-"))


class HostBrowser(Browser):
    """With the default name, which sibling hosts cannot set."""

    cookie, name, prefix, protected = CookieSettings(), "__Host-session", "__Host-", True


class PlainBrowser(Browser):
    """With a name that sibling hosts can set too."""

    cookie, name, prefix, protected = CookieSettings(name="session"), "session", "", False


# 2,000 lives of up to 50 steps: each half can run on a core of its own.
HALF = {"dev": 60, "ci": 1_000, "hunt": 10_000}[PROFILE]

TestABrowserWithAHostCookie = HostBrowser.TestCase
TestABrowserWithAHostCookie.settings = settings(max_examples=HALF)
TestABrowserWithAPlainCookie = PlainBrowser.TestCase
TestABrowserWithAPlainCookie.settings = settings(max_examples=HALF)
