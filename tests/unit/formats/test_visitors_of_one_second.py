"""Visitors who came in the same second are told apart, also where the token has no `sub` and no id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import Absence, CookieSettings, Lifetime, Native, SessionStore, anyone
from sessionkit._session.json import JSON
from sessionkit._session.session import Stamp
from sessionkit.backends import MemoryBackend
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    ExpressOpenID,
    FlaskCookie,
    Importer,
    NextAuthV4,
)
from sessionkit.testing import session_cookies

from ..scene import OTHER_SECRET, SECRET, START
from .foreign_cookies import b64, flask_signed
from .tokens import id_token

TIMES = {"iat": START, "exp": START + 9999}
V4 = {"tokenSet": {}, "internal": {"createdAt": START}, "exp": START + 9999}


def two(key: str, one: Any, other: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {key: one}, {key: other}


def users(one: Any, other: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return two("user", one, other)


EMAILS = {"email": "ada@example.org"}, {"email": "bob@example.org"}
NUMBERS = {"sub": 7}, {"sub": 8}
ISSUERS = {"sub": "7", "iss": "https://one.example"}, {"sub": "7", "iss": "https://two.example"}
NAMES = {"name": "Ada"}, {"name": "Bob"}

Pairs = dict[str, tuple[Any, dict[str, Any], tuple[dict[str, Any], dict[str, Any]]]]
PAIRS: Pairs = {
    "next-auth, by email": (NextAuthV4(), TIMES, EMAILS),
    "next-auth, by number": (NextAuthV4(), TIMES, NUMBERS),
    "next-auth, by user": (NextAuthV4(), TIMES, users(*NAMES)),
    "next-auth, by what an application keeps": (NextAuthV4(), TIMES, two("account", 7, 8)),
    "authjs, by email": (AuthJSV5(), TIMES, EMAILS),
    "next-auth, by issuer": (NextAuthV4(), TIMES, ISSUERS),
    "authjs, by issuer": (AuthJSV5(), TIMES, ISSUERS),
    "v3, by email": (Auth0V3(), {}, users(*EMAILS)),
    "v3, by number": (Auth0V3(), {}, users(*NUMBERS)),
    "v3, by text": (Auth0V3(), {}, users("ada", "bob")),
    "v4, by email": (Auth0V4(), V4, users(*EMAILS)),
    "auth0-fastapi, by email": (
        Auth0FastAPI(),
        {"internal": {"created_at": START}},
        users(*EMAILS),
    ),
    "express, by email": (
        ExpressOpenID(),
        {},
        two("id_token", id_token(**EMAILS[0]), id_token(**EMAILS[1])),
    ),
}
ALIKE: Pairs = {
    "v3, without the issuer": (Auth0V3(), {}, users(ISSUERS[0], {"sub": "7"})),
    "v4, without the issuer": (Auth0V4(), V4, users(ISSUERS[0], {"sub": "7"})),
    "v3, by issuer": (Auth0V3(), {}, users(*ISSUERS)),
    "v3, by issuer and number": (Auth0V3(), {}, users(*({**one, "sub": 7} for one in ISSUERS))),
    "v4, by issuer": (Auth0V4(), V4, users(*ISSUERS)),
    "auth0-fastapi, by issuer": (
        Auth0FastAPI(),
        {"internal": {"created_at": START}},
        users(*ISSUERS),
    ),
    "express, by issuer": (
        ExpressOpenID(),
        {},
        two("id_token", id_token(**ISSUERS[0]), id_token(**ISSUERS[1])),
    ),
    "v3, by name": (Auth0V3(), {}, users(*NAMES)),
    "v4, by name": (Auth0V4(), V4, users(*NAMES)),
    "express, by an id_token without claims": (ExpressOpenID(), {}, two("id_token", "a", "b")),
}
"""Visitors whom only what a write may change tells apart: no mark can name it."""

each = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
each_alike = pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)


def name_of(source: Any) -> str:
    name = source.cookie_name(host_only=True, secure=True)
    return f"{name}_0" if source.layout.numbered else name


def seal(source: Any, payload: dict[str, Any]) -> str:
    """A Cookie header with a token as the library makes it, without our claim."""
    name = source.cookie_name(host_only=True, secure=True)
    codec = source.codec(
        source.keys(SECRET), name=name, audience="", lifetime=Lifetime(), serializer=JSON
    )
    stamp = Stamp(id="-", created_at=START, updated_at=START, expires_at=START + 9999)
    return f"{name_of(source)}={codec.seal(json.dumps(payload).encode(), stamp)}"


def visit(store: SessionStore, jar: dict[str, str], header: str = "") -> dict[str, Any] | None:
    """One request that notes its visitor in the session; return the session as it came."""
    sent = "; ".join([*filter(None, [header]), *(f"{name}={text}" for name, text in jar.items())])
    with store.exchange(sent) as exchange:
        session = store.get_session()
        came = None if session is None else dict(session)
        if came is not None:
            store.update_session({**came, "visitor": id(jar)})
    for field, line in exchange.response_headers:
        if field == "Set-Cookie":
            name, _, rest = line.partition("=")
            jar[name] = rest.partition(";")[0]
            if "Max-Age=0" in line:
                del jar[name]
    return came


@each
@pytest.mark.parametrize("guard", [anyone, None])
def test_users_of_one_second_have_a_record_each(pair, guard):
    source, rest, both = pair

    def convert(session: dict[str, Any]) -> dict[str, Any]:
        return session if guard is not None else {"user": {"name": str(sorted(session.items()))}}

    store = SessionStore(
        SECRET,
        accept=[Importer(source, until=None, convert=convert)],
        guard=guard,
        backend=MemoryBackend(clock=lambda: START),
        clock=lambda: START,
    )
    headers = [seal(source, {**rest, **one}) for one in both]
    jars: list[dict[str, str]] = [{}, {}]
    first = [visit(store, jar, header) for jar, header in zip(jars, headers, strict=True)]
    second = [visit(store, jar) for jar in jars]
    assert None not in first
    assert first[0] != first[1]
    assert [{**came, "visitor": id(jar)} for came, jar in zip(first, jars, strict=True)] == second


@each_alike
def test_visitors_who_are_alike_never_share_a_session(pair):
    source, rest, both = pair
    store = SessionStore(
        SECRET,
        accept=[Importer(source, until=None)],
        guard=bool,
        backend=MemoryBackend(clock=lambda: START),
        clock=lambda: START,
    )
    jars: list[dict[str, str]] = [{}, {}]
    came = [
        visit(store, jar, seal(source, {**rest, **one}))
        for jar, one in zip(jars, both, strict=True)
    ]
    assert came[0] is not None
    assert came[1] is None or came[1] != came[0]
    assert {**came[0], "visitor": id(jars[0])} == visit(store, jars[0])


@each_alike
@pytest.mark.parametrize("kind", ["own format", "imported", "imported into a backend"])
def test_a_late_answer_that_changes_what_no_mark_names_does_not_undo_a_logout(pair, kind):
    source, rest, (one, other) = pair
    backend = MemoryBackend(clock=lambda: START) if "backend" in kind else None
    if kind == "own format":
        store = SessionStore(SECRET, format=source, clock=lambda: START)
    else:
        accept = [Importer(source, until=None)]
        store = SessionStore(
            SECRET, accept=accept, guard=bool, backend=backend, clock=lambda: START
        )
    with store.exchange(seal(source, {**rest, **one})) as exchange:
        assert store.get_session() is not None
        store.delete_session()
    lines = [
        line.partition(";") for name, line in exchange.response_headers if name == "Set-Cookie"
    ]
    jar = "; ".join(pair for pair, _, rest in lines if "Max-Age=0" not in rest)
    with store.exchange(f"{jar}; {seal(source, {**rest, **other})}") as exchange:
        assert (None, Absence.LOGGED_OUT) == (store.get_session(), exchange.absence)


@each
def test_one_token_is_one_session(pair):
    source, rest, (one, _) = pair
    store = SessionStore(SECRET, format=source, clock=lambda: START, guard=bool)
    ids = set()
    for _ in range(2):
        with store.exchange(seal(source, {**rest, **one})) as exchange:
            ids.add(exchange.contents.stamp.id)
    assert 2 == len({*ids, None})


@each
def test_two_users_of_one_second_in_one_request_are_ambiguous(pair):
    source, rest, both = pair
    identity = {"identity": lambda one: one["account"]} if "account" in both[0] else {}
    store = SessionStore(SECRET, format=source, clock=lambda: START, guard=bool, **identity)
    header = "; ".join(seal(source, {**rest, **one}) for one in both)
    with store.exchange(header) as exchange:
        assert (None, Absence.AMBIGUOUS) == (store.get_session(), exchange.absence)


@pytest.mark.parametrize("user", [{"sub": 7}, {"email": "ada@example.org"}, {"name": ["Ada"]}])
@pytest.mark.parametrize("source", [Auth0V3(), Auth0V4(), Auth0FastAPI()], ids=repr)
def test_a_barrier_spares_the_login_of_a_user_without_a_sub(source, user):
    store = SessionStore(SECRET, format=source, clock=lambda: START)
    jar: dict[str, str] = {}
    with store.exchange(headers={"Sec-Fetch-Site": "cross-site"}, method="POST") as exchange:
        store.create_session({"user": user})
    for _, line in exchange.response_headers:
        name, _, rest = line.partition("=")
        if "Max-Age=0" not in line and line.count("=") > 1:
            jar[name] = rest.partition(";")[0]
    assert any("before." in name for name in jar)
    assert user == visit(store, jar)["user"]  # type: ignore[index]


def test_what_is_not_json_names_nobody():
    codec = SessionStore(SECRET, format=Auth0V3()).settings.codec
    stamp = Stamp(id="-", created_at=START, updated_at=START, expires_at=START + 9999)
    marks = {codec.mark_id({"user": {"id": one}}, stamp) for one in ({1}, object())}
    assert {codec.mark_id({}, stamp)} == marks


# ---- visitors whom nothing names


LANGUAGE = b64(b'{"lang":"en"}')
EQUAL = {
    "flask": (FlaskCookie(), f"session={flask_signed(LANGUAGE, OTHER_SECRET, START)}"),
    "v3": (Auth0V3(), seal(Auth0V3(), {"lang": "en"})),
}


def shop(importer: Importer) -> SessionStore:
    """A site without users."""
    backend = MemoryBackend(clock=lambda: START)
    return SessionStore(
        SECRET, accept=[importer], guard=anyone, backend=backend, clock=lambda: START
    )


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize(("source", "header"), EQUAL.values(), ids=EQUAL)
def test_visitors_with_equal_cookies_have_a_record_each(source, header, clear):
    secret = OTHER_SECRET if source == FlaskCookie() else SECRET
    store = shop(Importer(source, secret=secret, until=None, clear=clear))
    jars: list[dict[str, str]] = [{}, {}]
    for jar in jars:
        assert {"lang": "en"} == visit(store, jar, header)
    for jar in jars:
        assert {"lang": "en", "visitor": id(jar)} == visit(store, jar)


def test_a_logout_of_such_a_visitor_holds_while_the_other_cookie_stays():
    header, jar = EQUAL["v3"][1], dict[str, str]()
    store = shop(Importer(Auth0V3(), until=None, clear=False))
    visit(store, jar, header)
    with store.exchange("; ".join([header, *(f"{one}={text}" for one, text in jar.items())])) as (
        exchange
    ):
        store.delete_session()
    fenced = next(
        line.partition(";")[0] for _, line in exchange.response_headers if "-out." in line
    )
    with store.exchange(f"{header}; {fenced}") as exchange:
        assert (None, Absence.LOGGED_OUT) == (store.get_session(), exchange.absence)


@pytest.mark.parametrize(
    "guard", [anyone, lambda session: session.get("lang")], ids=["anyone", "own"]
)
@pytest.mark.parametrize("clear", [True, False])
def test_a_late_answer_of_the_other_library_does_not_bring_such_a_visitor_back(guard, clear):
    jar: dict[str, str] = {}
    store = SessionStore(
        SECRET,
        accept=[Importer(Auth0V3(), until=None, clear=clear)],
        guard=guard,
        backend=MemoryBackend(clock=lambda: START),
        clock=lambda: START,
    )
    assert visit(store, jar, EQUAL["v3"][1]) is not None
    assert visit(store, jar) is not None
    sent = "; ".join(f"{name}={text}" for name, text in jar.items())
    with store.exchange(sent) as exchange:
        store.delete_session()
    lines = [
        line.partition(";") for name, line in exchange.response_headers if name == "Set-Cookie"
    ]
    fenced = "; ".join(pair for pair, _, rest in lines if "Max-Age=0" not in rest)
    for late in ({"lang": "en"}, {"lang": "de"}):
        with store.exchange(f"{fenced}; {seal(Auth0V3(), late)}") as exchange:
            assert (None, Absence.LOGGED_OUT) == (store.get_session(), exchange.absence)


def test_parallel_requests_of_a_session_with_an_id_are_one_session():
    named = CookieSettings(name="first")
    earlier = SessionStore(SECRET, cookie=named, guard=anyone, clock=lambda: START)
    cookies = session_cookies(earlier, {"lang": "en"})
    store = shop(Importer(Native(), name="first", until=None))
    header = "; ".join(f"{name}={text}" for name, text in cookies.items())
    jars: list[dict[str, str]] = [{}, {}]
    for jar in jars:
        visit(store, jar, header)
    assert {"lang": "en", "visitor": id(jars[1])} == visit(store, jars[0])
