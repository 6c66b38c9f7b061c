"""When a session ends, against arithmetic on a number line; and against a visitor who comes at any times."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sessionkit import Absence, ConfigurationError, Lifetime, SessionStore
from sessionkit._exchange.request import HeaderRequest

from .jar import Jar

SECRET = "a secret of the property tests, 0123456789"
START = 1_700_000_000

SECONDS = st.integers(1, 2_000)
TIMES = st.integers(-2_100, 2_100)


@st.composite
def lifetimes(draw: st.DrawFn) -> tuple[Lifetime, int | None, int | None, int]:
    """A lifetime, and its idle, absolute and renew_after as plain numbers."""
    if draw(st.booleans()) and draw(st.booleans()):
        absolute = draw(SECONDS)
        return Lifetime(rolling=False, absolute=absolute), None, absolute, 0
    idle = draw(SECONDS)
    absolute = draw(st.none() | st.integers(idle, 4_000))
    renew_after = draw(st.integers(0, idle - 1))
    return (
        Lifetime(idle=idle, absolute=absolute, renew_after=renew_after),
        idle,
        absolute,
        renew_after,
    )


@given(
    one=lifetimes(),
    age=st.integers(0, 2_000),
    since=TIMES,
    stamped=TIMES,
    part=st.sampled_from([0.0, 0.5]),
)
def test_a_session_lives_on_the_seconds_that_come_before_all_of_its_ends(
    one: tuple[Lifetime, int | None, int | None, int],
    age: int,
    since: int,
    stamped: int,
    part: float,
) -> None:
    lifetime, idle, absolute, _ = one
    created, updated = START - age, START
    expires, now = START + stamped, START + since + part
    ends = {Absence.EXPIRED: expires}
    if idle is not None:
        ends[Absence.IDLE] = updated + idle
    if absolute is not None:
        ends[Absence.ABSOLUTE] = created + absolute
    over = {why for why, end in ends.items() if end <= now}
    verdict = lifetime.absence(created, updated, expires, now)
    assert (verdict is None) == (not over)
    assert verdict is None or verdict in over


@given(one=lifetimes(), age=st.integers(0, 2_000))
def test_a_session_is_stamped_with_the_first_of_its_ends(
    one: tuple[Lifetime, int | None, int | None, int], age: int
) -> None:
    lifetime, idle, absolute, _ = one
    created, updated = START - age, START
    alive = [
        second
        for second in range(created, updated + 4_200)
        if (idle is None or second < updated + idle)
        and (absolute is None or second < created + absolute)
    ]
    expires = lifetime.expires_at(created, updated)
    assert [
        second
        for second in range(created, updated + 4_200)
        if lifetime.absence(created, updated, expires, second) is None
    ] == alive
    assert expires == max(alive) + 1


@given(one=lifetimes(), age=st.integers(0, 2_000), since=st.integers(0, 2_000))
def test_a_renewal_is_due_when_its_pause_is_over_and_it_would_move_the_end(
    one: tuple[Lifetime, int | None, int | None, int], age: int, since: int
) -> None:
    lifetime, _, _, renew_after = one
    created, updated, now = START - age, START, START + since
    assume(lifetime.absence(created, updated, lifetime.expires_at(created, updated), now) is None)
    moves = lifetime.expires_at(created, updated + 10_000) > lifetime.expires_at(created, updated)
    assert lifetime.due(created, updated, now) == (
        lifetime.rolling and since >= renew_after and moves
    )


@given(
    idle=st.integers(-5, 50),
    absolute=st.none() | st.integers(-5, 50),
    renew_after=st.none() | st.integers(-5, 50),
)
def test_a_lifetime_that_cannot_be_meant_is_refused(
    idle: int, absolute: int | None, renew_after: int | None
) -> None:
    sensible = (
        idle >= 1
        and (absolute is None or absolute >= idle)
        and (renew_after is None or 0 <= renew_after < idle)
    )
    if sensible:
        assert Lifetime(idle=idle, absolute=absolute, renew_after=renew_after).idle == idle
    else:
        with pytest.raises(ConfigurationError):
            Lifetime(idle=idle, absolute=absolute, renew_after=renew_after)


@given(
    one=lifetimes(),
    gaps=st.lists(st.integers(0, 2_200) | st.integers(0, 30), max_size=12),
    transient=st.booleans(),
)
def test_a_visitor_is_signed_out_never_later_than_idle_and_at_most_the_pause_earlier(
    one: tuple[Lifetime, int | None, int | None, int], gaps: list[int], transient: bool
) -> None:
    lifetime, idle, absolute, renew_after = one
    now = START
    store = SessionStore(SECRET, lifetime=lifetime, clock=lambda: now)
    jar = Jar("www.example.org", lambda: now)

    def visit(*, login: bool = False) -> bool:
        exchange = store.begin(HeaderRequest(jar.header()))
        there = (exchange.create({"user": "alice"}) if login else exchange.get()) is not None
        exchange.commit()
        for name, value in exchange.response_headers:
            assert name != "Set-Cookie" or jar.store(value)
        return there

    assert visit(login=True)
    for gap, elapsed in zip(gaps, accumulate(gaps), strict=True):
        now += gap
        there = visit()
        late = (idle is not None and gap >= idle) or (absolute is not None and elapsed >= absolute)
        early = (idle is None or gap < idle - renew_after) and (
            absolute is None or elapsed < absolute
        )
        assert not (late and there)
        assert there or not early
        if not there:
            return
