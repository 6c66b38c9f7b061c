"""What a stranger's cookies may cost: time in proportion to their bytes, and no memory that stays."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from timeit import repeat

import pytest

from sessionkit import Lifetime
from sessionkit._exchange.reading import read_cookies
from sessionkit._exchange.request import HeaderRequest

from . import sealed
from .sealed import NAME, NOW, b64, compact, header_of, members

STORE = sealed.store()
FENCE, SEEN = STORE.settings.fence, STORE.settings.seen
KEY = STORE.settings.codec.ids[0]
COOKIES = 2_000


def near_token(number: int) -> str:
    """The head of a token whose grammar is right, as short as it gets."""
    return b64(compact(members(sid=f"{number:022d}")).encode()) + "..AAAA"


BOGUS = {
    "a row of two thousand chunks": [(f"{NAME}.{number}", "x") for number in range(COOKIES)],
    "chunks with dots": [(f"{NAME}.{number}", "a.b") for number in range(COOKIES)],
    "empty chunks": [(f"{NAME}.{number}", "") for number in range(COOKIES)],
    "chunks in no order": [(f"{NAME}.{number * 1_373 % 10_000}", "x") for number in range(COOKIES)],
    "four rows of five hundred chunks": [
        (f"{NAME}.{number // 4}", "x") for number in range(COOKIES)
    ],
    "forty names, each fifty times": [(f"{NAME}.{number % 40}", "x") for number in range(COOKIES)],
    "one chunk, two thousand times": [(f"{NAME}.0", "x")] * COOKIES,
    "names that are not canonical": [(f"{NAME}.0{number}", "x") for number in range(COOKIES)],
    "names that only look alike": [(f"{NAME}_{number}", "x") for number in range(COOKIES)],
    "whole cookies": [(NAME, "x")] * COOKIES,
    "renewals": [(SEEN, "x")] * COOKIES,
    "fences": [(FENCE, "x")] * COOKIES,
    "chunks beside a renewal and a fence": [
        (f"{NAME}.{number}", "x") for number in range(COOKIES - 2)
    ]
    + [(SEEN, "x"), (FENCE, "x")],
}
MOST = 65_000
HEAVY = {
    "heads of tokens": header_of([(NAME, near_token(number)) for number in range(4)]),
    "one long fence": f"{FENCE}={'.'.join(f'{number:022d}' for number in range(2_600))}; {NAME}=x",
    "nothing but dots": f"{NAME}={'.' * MOST}",
    "nothing but semicolons": f"{NAME}=x{';' * MOST}",
    "nothing but blanks": f"{NAME}{' ' * MOST}=x",
    "nothing but equals signs": f"{NAME}{'=' * MOST}",
    "one long value": f"{NAME}={'A' * MOST}",
    "one long last segment": f"{NAME}.0={near_token(0)}.{'A' * MOST}",
}


def fastest(call: Callable[[], object]) -> float:
    """Seconds, the least of many: what is above that is the machine's other work."""
    return min(repeat(call, number=1, repeat=60))


def taken_apart(header: str) -> int:
    """The floor: every cookie of a header cut off and cut in two, and nothing more."""
    return len([piece.partition("=") for piece in header.split(";")])


@pytest.mark.parametrize("shape", BOGUS)
def test_two_thousand_bogus_cookies_are_read_in_a_few_times_what_taking_the_header_apart_costs(
    shape: str, record_property: Callable[[str, object], None]
) -> None:
    header = header_of(BOGUS[shape])
    assert taken_apart(header) == COOKIES
    floor, cost = (
        fastest(lambda: taken_apart(header)),
        fastest(lambda: read_cookies(STORE.settings, header, NOW)),
    )
    record_property("milliseconds", round(cost * 1_000, 3))
    print(f"\n{shape}: {cost * 1_000:.3f} ms, {cost / floor:.1f} times the floor")
    assert read_cookies(STORE.settings, header, NOW).token is None
    assert cost / floor < 10


@pytest.mark.parametrize("shape", HEAVY)
def test_a_header_as_long_as_it_may_be_is_read_in_the_time_of_opening_as_much(
    shape: str, record_property: Callable[[str, object], None]
) -> None:
    header = HEAVY[shape]
    token = sealed.cookies(sealed.store(), {"user": "alice", "pad": "x" * 20_000})
    real = header_of(token)
    floor, cost = (
        fastest(lambda: read_cookies(STORE.settings, real, NOW)),
        fastest(lambda: read_cookies(STORE.settings, header, NOW)),
    )
    record_property("milliseconds", round(cost * 1_000, 3))
    print(f"\n{shape}: {cost * 1_000:.3f} ms, {cost / floor:.2f} times a real session of 27 kB")
    assert read_cookies(STORE.settings, real, NOW).token is not None
    assert read_cookies(STORE.settings, header, NOW).token is None
    assert cost / floor < 20


def strangers(count: int) -> list[str]:
    """Headers that name another key and another hour each, in grammar, some of them with our own key."""
    headers: list[str] = []
    for number in range(count):
        updated = NOW - number * 3_600 % (NOW - 3_600)
        key = KEY if number % 2 else f"{number:08d}"
        head = compact(
            members(kid=f"{key}.{updated // 3600}", iat=updated, uat=updated, exp=updated + 10**9)
        )
        renewal = f"{key}.{updated}.{updated + 10**9}.{'A' * 16}.{'A' * 22}"
        headers.append(
            header_of(
                [(NAME, f"{b64(head.encode())}..{'A' * 16}.{'A' * 40}.{'A' * 22}"), (SEEN, renewal)]
            )
        )
    return headers


def test_ten_thousand_requests_that_name_other_keys_and_hours_leave_nothing_in_memory() -> None:
    store = sealed.store(lifetime=Lifetime(absolute=None, idle=600))
    own = header_of(sealed.cookies(store, {"user": "alice"}))
    keys, seen = store.settings.codec._keys, store.settings.codec.seen
    headers = strangers(10_000)
    for header in headers[:50]:
        assert store.begin(HeaderRequest(f"{own}; {header}")).get() is not None
    kept = keys.kept, seen.kept
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for header in headers:
        # Beside a session of our own, so that the renewals are tried too.
        store.begin(HeaderRequest(f"{own}; {header}")).get()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert (keys.kept, seen.kept) == kept == (1, 0)
    assert grown < 20_000


def test_sessions_of_two_thousand_hours_keep_no_more_than_1024_keys() -> None:
    now = float(NOW)
    store = sealed.store(lifetime=Lifetime(absolute=None, idle=10**9))
    pairs = [
        sealed.cookies(
            sealed.store(now=now - hour * 3_600, lifetime=Lifetime(absolute=None, idle=10**9)),
            {"user": "alice"},
        )
        for hour in range(2_000)
    ]
    assert [store.begin(HeaderRequest(header_of(one))).get() for one in pairs] == [
        {"user": "alice"}
    ] * 2_000
    assert store.settings.codec._keys.kept == 1_024


@pytest.mark.parametrize("shape", [*BOGUS, *HEAVY])
def test_reading_a_header_takes_memory_in_proportion_to_it_and_gives_it_back(shape: str) -> None:
    header = HEAVY[shape] if shape in HEAVY else header_of(BOGUS[shape])
    tracemalloc.start()
    cookies = read_cookies(STORE.settings, header, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    del cookies
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert peak < 2_000_000  # thirty times the longest header that is parsed
    assert left < 20_000


def test_a_chunk_that_came_many_times_behind_a_gap_makes_no_work_and_hides_no_session() -> None:
    own = header_of(sealed.cookies(STORE, {"user": "alice"}))
    stale = header_of([(f"{NAME}.7", "x")] * 50)
    assert read_cookies(STORE.settings, f"{own}; {stale}", NOW).list_names(STORE.settings) == (
        NAME,
        f"{NAME}.7",
    )
    assert sealed.accepted(STORE, f"{own}; {stale}") == {"user": "alice"}
