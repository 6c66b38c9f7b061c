"""Whatever is JSON comes back as it was, through any number of cookies in any order, beside any rubbish."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from sessionkit import CookieSettings, SessionStore, SessionTooLargeError
from sessionkit._cookies.chunks import Layout, join, spans
from sessionkit._exchange.request import HeaderRequest

SECRET = "a secret of the property tests, 0123456789"
NOW = 1_700_000_000
LARGEST = 61_440  # the most that max_bytes may be

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SESSIONS = st.dictionaries(TEXT, VALUES, max_size=5)

LINES = st.builds(
    CookieSettings,
    name=st.sampled_from(["session", "s", "n" * 256]),
    path=st.sampled_from(["/", "/app", "/" + "p" * 1023]),
    domain=st.sampled_from([None, "example.org", "d" * 240 + ".example.org"]),
    secure=st.just(True),
    http_only=st.booleans(),
    same_site=st.sampled_from(["Lax", "Strict", "None"]),
    partitioned=st.booleans(),
    transient=st.booleans(),
    priority=st.sampled_from([None, "Low", "Medium", "High"]),
    max_bytes=st.sampled_from([7_168, 20_000, LARGEST]),
)


def store_of(cookie: CookieSettings) -> SessionStore:
    return SessionStore(SECRET, cookie=cookie, clock=lambda: NOW)


def pairs_of(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The cookies that a response sets."""
    given = [
        value.partition(";")[0].partition("=") for name, value in headers if name == "Set-Cookie"
    ]
    return [(name, value) for name, _, value in given if value]


def header_of(pairs: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name}={value}" for name, value in pairs)


def sealed(store: SessionStore, contents: dict[str, Any]) -> list[tuple[str, str]]:
    exchange = store.begin(HeaderRequest())
    exchange.create(contents)
    exchange.commit()
    return pairs_of(exchange.response_headers)


def shown(store: SessionStore, header: str) -> dict[str, Any] | None:
    session = store.begin(HeaderRequest(header)).get()
    return None if session is None else dict(session)


def exact(value: object) -> str:
    return json.dumps(
        value
    )  # tells 1 from True and 1.0, -0.0 from 0.0, and one order of keys from another


@given(
    contents=SESSIONS,
    size=st.integers(0, 40_000),
    cookie=LINES,
    order=st.randoms(use_true_random=False),
)
def test_any_json_comes_back_from_any_number_of_cookies_in_any_order(
    contents: dict[str, Any], size: int, cookie: CookieSettings, order: Any
) -> None:
    store = store_of(cookie)
    given = {**contents, "user": {"sub": "alice"}, "pad": "x" * size}
    try:
        pairs = sealed(store, given)
    except SessionTooLargeError:
        assert (
            len(exact(given)) * 4 > cookie.max_bytes * 2
        )  # it is never refused what is half of the budget
        return
    order.shuffle(pairs)
    assert exact(shown(store, header_of(pairs))) == exact(given)


@given(size=st.integers(0, 45_000), cookie=LINES, cleared=st.sets(st.integers(0, 30), max_size=3))
@example(size=5_093, cookie=CookieSettings(name="session"), cleared={1})
def test_no_line_is_longer_than_4096_and_all_cookies_together_keep_to_the_budget(
    size: int, cookie: CookieSettings, cleared: set[int]
) -> None:
    store = store_of(cookie)
    came = "; ".join(f"{store.settings.name}.{number}=stale" for number in cleared)
    exchange = store.begin(HeaderRequest(came))
    try:
        exchange.create({"user": "alice", "pad": "x" * size})
    except SessionTooLargeError as error:
        budget = cookie.max_bytes
        assert str(budget) in str(error)
        # What was refused is over the budget: the contents alone, in base64, leave less than a line's room in it.
        assert size * 4 / 3 + 4096 > budget
        assert size * 4 / 3 > budget - 1_200 - 270 * (budget // 2_400 + 1)
        return
    exchange.commit()
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    pairs = pairs_of(exchange.response_headers)
    assert [line for line in lines if len(line) > 4096] == []
    # The budget is that of the session's own cookies: a lone chunk has no id, so a barrier is set beside them.
    beside = {store.settings.fence, store.settings.barrier}
    assert (
        sum(len(name) + 1 + len(value) + 2 for name, value in pairs if name not in beside)
        <= cookie.max_bytes
    )
    full = [
        line for line in lines if line.startswith(store.settings.chunk) and "Max-Age=0" not in line
    ]
    assert [len(line) for line in full[:-1]] == [4096] * (
        len(full) - 1
    )  # and no chunk but the last wastes any


@given(
    size=st.integers(2_500, 40_000),
    missing=st.integers(0, 20),
    stale=st.lists(st.text("abc.-_", max_size=30), max_size=4),
)
def test_chunks_beyond_the_end_are_ignored_and_a_gap_gives_no_session(
    size: int, missing: int, stale: list[str]
) -> None:
    store = store_of(CookieSettings(max_bytes=LARGEST))
    contents = {"user": "alice", "pad": "x" * size}
    pairs = sealed(store, contents)
    assume(len(pairs) > 1)
    later = [
        (f"{store.settings.chunk}{len(pairs) + number}", value)
        for number, value in enumerate(stale)
    ]
    gone = missing % len(pairs)
    assert shown(store, header_of(later + pairs)) == contents
    assert shown(store, header_of(later + pairs[:gone] + pairs[gone + 1 :])) is None


@given(
    sizes=st.tuples(st.integers(2_700, 20_000), st.integers(2_700, 20_000)),
    order=st.randoms(use_true_random=False),
    same=st.booleans(),
)
def test_rows_that_cross_may_give_no_session_and_never_a_mixture(
    sizes: tuple[int, int], order: Any, same: bool
) -> None:
    store = store_of(CookieSettings(max_bytes=LARGEST))
    first = {"user": "alice", "pad": "a" * sizes[0]}
    second = {"user": "alice" if same else "bob", "pad": "b" * sizes[1]}
    one = sealed(store, first)
    other = sealed(store, second)
    if same:  # a later state of the same session
        exchange = store.begin(HeaderRequest(header_of(one)))
        exchange.update(second)
        exchange.commit()
        other = pairs_of(exchange.response_headers)
    pairs = one + other
    order.shuffle(pairs)
    assert shown(store, header_of(pairs)) in (None, first, second)
    aligned = sorted(one) + sorted(other) if len(one) == len(other) else None
    if aligned is not None:
        # Two whole rows: a session of one id is read, two ids are nobody's.
        assert shown(store, header_of(aligned)) in ((first, second) if same else (None,))


@given(
    token=st.text("abcXYZ019-_", min_size=1, max_size=400),
    size=st.integers(1, 60),
    name=st.sampled_from(["s", "session"]),
    data=st.data(),
)
def test_a_token_is_cut_and_joined_at_any_size_of_chunk(
    token: str, size: int, name: str, data: st.DataObject
) -> None:
    layout = Layout(size=size, numbered=data.draw(st.booleans()))
    text = f"{token}..n.c.{'t' * 22}"
    parts = spans(len(text), name, layout, 4096)
    if not layout.numbered and len(text) <= size:
        assert parts == [(name, 0, len(text))]
        return
    assert [part for part, _, _ in parts] == [f"{name}.{number}" for number in range(len(parts))]
    chunks = {number: [text[start:stop]] for number, (_, start, stop) in enumerate(parts)}
    chunks |= {
        len(parts) + number: [stale]
        for number, stale in enumerate(data.draw(st.lists(st.text("ab.", max_size=9), max_size=3)))
    }
    assert join(chunks, 0, layout) == text
