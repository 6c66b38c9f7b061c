"""A session ends at the same second on both sides, whoever wrote it; the clock of both is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from sessionkit import Lifetime, SessionStore

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import (
    AUTH_JS,
    EXPRESS,
    NEXT_AUTH,
    NEXTJS_V3,
    NEXTJS_V4,
    NOW,
    Partner,
    session_cookies,
    we_create,
    we_read,
    we_update,
)

Get = Callable[[str], Library]
HOUR, DAY = 3600, 86_400

LIFETIMES = {
    "rolling": Lifetime(idle=DAY, absolute=3 * DAY),
    "short": Lifetime(idle=100, absolute=250),
    "fixed": Lifetime(rolling=False, absolute=2 * DAY),
    "without absolute": Lifetime(idle=DAY, absolute=None),
}
WRITERS = ["they they", "they we", "we they", "we we"]


def cases() -> Iterator[Any]:
    for partner, name, writers in product(
        (NEXTJS_V3, EXPRESS, NEXTJS_V4, NEXT_AUTH, AUTH_JS), LIFETIMES, WRITERS
    ):
        lifetime = LIFETIMES[name]
        if partner is NEXTJS_V4:
            # It always has an absolute lifetime; what it makes of one that does not roll is a test of its own.
            alike = lifetime.absolute is not None and (lifetime.rolling or writers.endswith("we"))
        elif partner in (NEXT_AUTH, AUTH_JS):
            # They have an idle time and nothing else; the absolute lifetime of our writes stands in the token.
            alike = lifetime.absolute is None or (lifetime.rolling and writers == "we we")
        else:
            alike = True
        if alike:
            yield pytest.param(
                partner, lifetime, writers, id=f"{partner.module}, {name}: {writers}"
            )


class Moving:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def last_second(reads: Callable[[int], bool], since: int) -> int:
    """The last second at which a session is read, by bisection; it is read at `since`."""
    assert reads(since)
    first, beyond = since, since + 10 * DAY
    assert not reads(beyond)
    while beyond - first > 1:
        middle = (first + beyond) // 2
        first, beyond = (middle, beyond) if reads(middle) else (first, middle)
    return first


def opens(store: SessionStore, header: str) -> bool:
    """Whether we read a session; what a response would say is dropped."""
    with store.exchange(header):
        return store.get_session() is not None


class Sides:
    """One session in one jar, seen by both."""

    def __init__(self, partner: Partner, lifetime: Lifetime, library: Get) -> None:
        self.partner, self.theirs = partner, library(partner.module)
        self.clock = Moving()
        self.store = partner.store(self.clock, lifetime=lifetime)
        self.options = partner.options(lifetime=lifetime)
        self.jar = Jar(NOW)

    def at(self, now: int) -> None:
        self.clock.now = self.jar.now = now

    def they(self, op: str) -> None:
        """The library writes."""
        # Auth.js is given no contents to update: its callback returns the token that came, as an application's does.
        session = (
            None
            if op == "update" and self.partner in (NEXT_AUTH, AUTH_JS)
            else sessions.text(self.partner.core)
        )
        self.jar.take(
            self.theirs.ask(op, self.clock.now, self.options, self.jar.header, session).lines
        )

    def we(self, op: str) -> None:
        """We write."""
        (we_create if op == "login" else we_update)(
            self.store, self.jar, self.partner.core | {"written": self.clock.now}
        )

    def ends(self) -> tuple[int, int]:
        """The last seconds at which they, and we, read the session that is in the jar now."""
        since, header = self.clock.now, self.jar.header

        def they_read(now: int) -> bool:
            return self.theirs.ask("read", now, self.options, header).session is not None

        def we_open(now: int) -> bool:
            self.clock.now = now
            return opens(self.store, header)

        found = last_second(they_read, since), last_second(we_open, since)
        self.clock.now = since
        return found


@pytest.mark.parametrize(("partner", "lifetime", "writers"), list(cases()))
def test_login_and_update_end_at_the_same_second_on_both_sides(
    partner: Partner, lifetime: Lifetime, writers: str, library: Get
) -> None:
    sides = Sides(partner, lifetime, library)
    first, second = ({"they": sides.they, "we": sides.we}[who] for who in writers.split())
    first("login")
    theirs, ours = sides.ends()
    assert theirs == ours
    # An update when most of the idle time is over, and another so late that the absolute lifetime cuts it.
    for passed in (
        (lifetime.idle or lifetime.absolute or 0) - 10,
        min(2 * (lifetime.idle or DAY) - 20, 2 * DAY - 20),
    ):
        sides.at(NOW + passed)
        second("update")
        theirs, ours = sides.ends()
        assert theirs == ours
        second = sides.we


def test_nextjs_auth0_4_restarts_a_lifetime_that_does_not_roll_at_each_write_and_we_do_not(
    library: Get,
) -> None:
    sides = Sides(NEXTJS_V4, LIFETIMES["fixed"], library)
    sides.they("login")
    sides.at(NOW + DAY)
    sides.they("update")
    theirs, ours = sides.ends()
    assert theirs == NOW + 3 * DAY + 14
    assert ours == NOW + 2 * DAY + 14


@pytest.mark.parametrize("partner", [NEXT_AUTH, AUTH_JS], ids=lambda partner: partner.module)
def test_a_write_of_auth_js_does_not_move_our_absolute_lifetime(
    partner: Partner, library: Get
) -> None:
    """They keep our claim with the creation time, and give the token an expiry of their own."""
    sides = Sides(partner, LIFETIMES["rolling"], library)
    sides.we("login")
    for passed in (20 * HOUR, 40 * HOUR, 60 * HOUR):
        sides.at(NOW + passed)
        sides.they("update")
    theirs, ours = sides.ends()
    assert theirs == NOW + 60 * HOUR + DAY + 14
    assert ours == NOW + 3 * DAY + 14


def test_a_token_of_next_auth_4_that_outlives_its_cookie_ends_with_the_cookie_for_us(
    library: Get,
) -> None:
    """Its tokens last 30 days unless `jwt.maxAge` says otherwise, whatever `session.maxAge` is: idle is ours to judge."""
    sides = Sides(NEXT_AUTH, LIFETIMES["without absolute"], library)
    del sides.options["jwt"]
    sides.they("login")
    header = sides.jar.header
    assert sides.theirs.ask("read", NOW + 29 * DAY, sides.options, header).session is not None
    sides.at(NOW + DAY - 1)
    assert sides.jar.header == header
    assert opens(sides.store, header)
    sides.at(NOW + DAY)
    assert session_cookies(NEXT_AUTH, sides.jar) == {}
    sides.at(NOW + DAY + 15)
    assert not opens(sides.store, header)


@pytest.mark.parametrize("padding", [0, 9_000], ids=["whole", "in chunks"])
def test_a_v3_login_lives_on_as_a_v4_session_and_ends_when_it_should(
    padding: int, library: Get
) -> None:
    """nextjs-auth0 4 takes a v3 cookie over: the creation time stays, and we read either."""
    lifetime = Lifetime(idle=DAY, absolute=3 * DAY)
    jar, clock = Jar(NOW), Moving()
    three, four = library(NEXTJS_V3.module), library(NEXTJS_V4.module)
    session = sessions.text(
        NEXTJS_V3.core | {"user": NEXTJS_V3.core["user"] | {"padding": "a" * padding}}
    )
    jar.take(three.ask("login", NOW, NEXTJS_V3.options(lifetime=lifetime), session=session).lines)
    store = NEXTJS_V4.store(clock, lifetime=lifetime)
    taken = four.ask("read", NOW, NEXTJS_V4.options(lifetime=lifetime), jar.header).contents
    assert taken == we_read(store, jar)
    assert taken["internal"] == {"sid": "op-session", "createdAt": NOW}
    clock.now = jar.now = NOW + DAY - HOUR
    we_update(store, jar, taken | {"theme": "dark"})
    assert not any(name.startswith("appSession") for name in jar.cookies)
    assert (
        four.ask("read", clock.now, NEXTJS_V4.options(lifetime=lifetime), jar.header).contents[
            "theme"
        ]
        == "dark"
    )
    sides = Sides(NEXTJS_V4, lifetime, library)
    sides.jar = jar
    sides.at(clock.now)
    theirs, ours = sides.ends()
    assert theirs == ours


def test_an_expired_v3_cookie_is_none_for_us_though_v4_takes_it(library: Get) -> None:
    lifetime = Lifetime(idle=DAY, absolute=3 * DAY)
    jar, clock = Jar(NOW), Moving()
    lines = (
        library(NEXTJS_V3.module)
        .ask(
            "login",
            NOW,
            NEXTJS_V3.options(lifetime=lifetime),
            session=sessions.text(NEXTJS_V3.core),
        )
        .lines
    )
    jar.take(lines)
    header = jar.header
    store = NEXTJS_V4.store(clock, lifetime=lifetime)
    clock.now = NOW + DAY
    assert (
        library(NEXTJS_V4.module)
        .ask("read", clock.now, NEXTJS_V4.options(lifetime=lifetime), header)
        .session
        is not None
    )
    assert not opens(store, header)


@pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, NEXTJS_V4], ids=lambda partner: partner.module
)
def test_a_renewal_of_ours_is_a_renewal_for_them(partner: Partner, library: Get) -> None:
    sides = Sides(partner, Lifetime(idle=DAY, absolute=3 * DAY), library)
    sides.they("login")
    sides.at(NOW + DAY - HOUR)
    assert we_read(sides.store, sides.jar) is not None
    theirs, ours = sides.ends()
    assert theirs == ours >= NOW + 2 * DAY - HOUR - 1


CEILINGS = {
    EXPRESS.module: lambda ceiling: EXPRESS.core | {"sessionExpiresAt": ceiling},
    NEXTJS_V4.module: lambda ceiling: (
        NEXTJS_V4.core | {"internal": NEXTJS_V4.core["internal"] | {"sessionExpiresAt": ceiling}}
    ),
}


@pytest.mark.parametrize("partner", [EXPRESS, NEXTJS_V4], ids=lambda partner: partner.module)
@pytest.mark.parametrize("writer", ["they", "we"])
def test_a_session_ends_when_the_identity_provider_has_said_that_its_own_does(
    partner: Partner, writer: str, library: Get
) -> None:
    """The claim `session_expiry` (OpenID's IPSIE profile, SL1) is kept in the session; both libraries end it 30 s before."""
    sides, ceiling = Sides(partner, Lifetime(idle=DAY, absolute=3 * DAY), library), NOW + 6 * HOUR
    session = CEILINGS[partner.module](ceiling)
    if writer == "they":
        sides.jar.take(
            sides.theirs.ask("login", NOW, sides.options, session=sessions.text(session)).lines
        )
    else:
        we_create(sides.store, sides.jar, session)
    assert sides.ends() == (ceiling - 31, ceiling - 31)
    # No write moves it.
    sides.at(NOW + 5 * HOUR)
    we_update(sides.store, sides.jar, session | {"written": sides.clock.now})
    assert sides.ends() == (ceiling - 31, ceiling - 31)
