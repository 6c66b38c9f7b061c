import ast
from pathlib import Path
from typing import Any

import pytest

import sessionkit
from sessionkit import Event, Lifetime, SessionStore, SessionTooLargeError, testing
from sessionkit.testing import read_cookies, session_cookies

SECRET = "9nO-2sV0yUq1fW8zR4tK6mXcB7hJ3pLd5gQaZeTiYu0"
NOW = 1_700_000_000
ADA = {"user": {"sub": "ada"}, "theme": "dark"}


def store_at(now: float = NOW, **settings: object) -> SessionStore:
    return SessionStore(
        SECRET,
        lifetime=Lifetime(idle=3600, absolute=86_400, renew_after=60),
        clock=lambda: now,
        **settings,
    )  # type: ignore[arg-type]


def header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def set_cookies(exchange: sessionkit.Exchange) -> list[str]:
    return [value for name, value in exchange.response_headers if name == "Set-Cookie"]


def test_the_cookies_of_a_session_give_that_session() -> None:
    store = store_at()
    with store.exchange(header(session_cookies(store, ADA))):
        assert store.get_session() == ADA


def test_a_small_session_is_one_cookie() -> None:
    assert list(session_cookies(store_at(), ADA)) == ["__Host-session"]


def test_a_large_session_is_chunks() -> None:
    cookies = session_cookies(store_at(), {**ADA, "ballast": "x" * 4000})
    assert list(cookies) == ["__Host-session.0", "__Host-session.1"]


def test_an_anonymous_session_is_sealed_and_read_too() -> None:
    store = store_at()
    assert read_cookies(store, [], session_cookies(store, {"cart": [1]})) == {"cart": [1]}


def test_an_empty_session_is_a_session() -> None:
    store = store_at()
    assert read_cookies(store, [], session_cookies(store, {})) == {}


def test_a_session_that_does_not_fit_is_refused_as_the_store_would() -> None:
    with pytest.raises(SessionTooLargeError):
        session_cookies(store_at(), {**ADA, "ballast": "x" * 9000})


@pytest.mark.parametrize(
    ("created_at", "updated_at", "expected"),
    [
        (None, None, (NOW, NOW)),
        (NOW - 100, None, (NOW - 100, NOW)),
        (None, NOW - 50, (NOW - 50, NOW - 50)),
        (NOW - 100.9, NOW - 50.1, (NOW - 101, NOW - 51)),
        (None, NOW + 30, (NOW, NOW + 30)),
        (NOW + 30, None, (NOW + 30, NOW + 30)),
    ],
)
def test_its_times_are_whole_seconds_with_sensible_defaults(
    created_at: float | None, updated_at: float | None, expected: tuple[int, int]
) -> None:
    store = store_at()
    session = read_cookies(
        store, [], session_cookies(store, ADA, created_at=created_at, updated_at=updated_at)
    )
    assert session is not None
    assert session.stamp is not None
    assert expected == (session.stamp.created_at, session.stamp.updated_at)


def test_a_session_last_active_too_long_ago_is_over() -> None:
    store = store_at()
    with store.exchange(header(session_cookies(store, ADA, updated_at=NOW - 3600))) as exchange:
        assert exchange.absence is sessionkit.Absence.IDLE


def test_a_session_created_too_long_ago_is_over() -> None:
    store = store_at()
    with store.exchange(header(session_cookies(store, ADA, created_at=NOW - 86_400))) as exchange:
        assert exchange.absence is sessionkit.Absence.ABSOLUTE


def test_a_session_without_an_absolute_end_may_be_of_any_age() -> None:
    store = SessionStore(SECRET, lifetime=Lifetime(idle=3600, absolute=None), clock=lambda: NOW)
    assert read_cookies(store, [], session_cookies(store, ADA, created_at=0)) == ADA


@pytest.mark.parametrize("updated_at", [NOW - 1, NOW + 86_400])
def test_activity_before_the_beginning_or_after_the_end_is_a_mistake(updated_at: int) -> None:
    with pytest.raises(ValueError, match="no session is created at"):
        session_cookies(store_at(), ADA, created_at=NOW, updated_at=updated_at)


def test_the_lines_of_a_response_replace_the_cookies_that_were_sent() -> None:
    store = store_at()
    cookies = session_cookies(store, ADA)
    with store.exchange(header(cookies)) as exchange:
        store.update_session({**ADA, "theme": "light"})
    assert read_cookies(store, set_cookies(exchange), cookies) == {**ADA, "theme": "light"}


def test_the_cookies_given_are_left_as_they_are() -> None:
    store = store_at()
    cookies = session_cookies(store, ADA)
    before = dict(cookies)
    read_cookies(store, ["__Host-session=; Max-Age=0"], cookies)
    assert cookies == before


@pytest.mark.parametrize(
    "line",
    [
        "__Host-session=; Max-Age=0",
        "__Host-session = x;max-age= -1 ; Path=/",
        "__Host-session=x; Max-Age=00",
        f"__Host-session=x; Max-Age=-{'9' * 5000}",
    ],
)
def test_a_line_without_time_left_removes_the_cookie(line: str) -> None:
    store = store_at()
    assert read_cookies(store, [line], session_cookies(store, ADA)) is None


@pytest.mark.parametrize(
    "attribute",
    [
        "Max-Age=10",
        "Max-Age=" + "9" * 5000,
        "Max-Age=zero",
        "Max-Age=\u0660",
        "Max-Age",
        "Path=/0",
        "Max-Ages=0",
        "Expires=0",
        "A=-1",
    ],
)
def test_a_line_with_time_left_keeps_it(attribute: str) -> None:
    store = store_at()
    (name, value), *_ = session_cookies(store, ADA).items()
    assert read_cookies(store, [f"{name} = {value} ; {attribute}"]) == ADA


def test_chunks_that_became_one_cookie_are_read_as_it() -> None:
    store = store_at()
    cookies = session_cookies(store, {**ADA, "ballast": "x" * 4000})
    with store.exchange(header(cookies)) as exchange:
        store.update_session(ADA)
    assert read_cookies(store, set_cookies(exchange), cookies) == ADA


def test_the_renewal_cookie_counts() -> None:
    cookies = session_cookies(store_at(), ADA)
    later = store_at(NOW + 3000)
    with later.exchange(header(cookies)) as exchange:
        later.touch_session()
    session = read_cookies(store_at(NOW + 6000), set_cookies(exchange), cookies)
    assert session is not None
    assert session.stamp is not None
    assert (session.stamp.updated_at, session.stamp.expires_at) == (NOW + 3000, NOW + 6600)


def test_the_fence_counts() -> None:
    store = store_at()
    cookies = session_cookies(store, ADA)
    with store.exchange(header(cookies)) as exchange:
        store.delete_session()
    late = [f"{name}={value}; Max-Age=60" for name, value in cookies.items()]
    assert read_cookies(store, [*set_cookies(exchange), *late], cookies) is None


def test_cookies_of_another_secret_are_no_session() -> None:
    other = SessionStore("Zk3v-7QmXo1sYt5wRb9uLc2nPd8fHg4jEa6iKq0eWxM", clock=lambda: NOW)
    assert read_cookies(other, [], session_cookies(store_at(), ADA)) is None


def test_no_cookies_are_no_session() -> None:
    assert read_cookies(store_at(), []) is None


def test_looking_is_no_event_of_the_application() -> None:
    heard: list[Event] = []
    read_cookies(store_at(on_event=heard.append), ["__Host-session=forged"])
    assert heard == []


def test_what_was_read_belongs_to_no_request_and_can_be_changed() -> None:
    store = store_at()
    session = read_cookies(store, [], session_cookies(store, ADA))
    assert session is not None
    session["theme"] = "light"
    assert session["theme"] == "light"


def test_nothing_in_the_package_imports_it() -> None:
    importing = []
    for path in Path(sessionkit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, (ast.Import, ast.ImportFrom))
                else []
            )
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if any(name.split(".")[-1] == "testing" for name in (*names, module or "")):
                importing.append(path.name)
    assert importing == []


def test_it_says_that_it_mints_sessions() -> None:
    assert "mints sessions" in (testing.__doc__ or "")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("__Host-session=x; Path=/", "str"),
        (b"__Host-session=x; Path=/", "bytes"),
        ({"__Host-session": "x"}, "dict"),
        (None, "NoneType"),
        (7, "int"),
        ([("Set-Cookie", "__Host-session=x")], "tuple in it"),
        ([b"__Host-session=x"], "bytes in it"),
    ],
)
def test_what_is_no_list_of_lines_is_an_error_that_says_how_to_make_one(
    given: Any, kind: str
) -> None:
    with pytest.raises(TypeError, match=f"not {kind}: .*response_headers"):
        read_cookies(SessionStore(SECRET), given)


@pytest.mark.parametrize("cookies", ["a=b", ["a"]])
def test_cookies_that_are_no_dict_are_an_error(cookies: Any) -> None:
    with pytest.raises(TypeError, match="a dict of names and values"):
        read_cookies(SessionStore(SECRET), [], cookies)


@pytest.mark.parametrize("session", [None, 7])
def test_contents_that_are_none_are_an_error(session: Any) -> None:
    with pytest.raises(TypeError, match="the contents of a session are a dict"):
        session_cookies(SessionStore(SECRET), session)
