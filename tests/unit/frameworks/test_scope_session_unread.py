"""What is done to the session object in an ASGI scope before anybody has read it finds the session, or an error."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sessionkit import NoActiveRequestError, ResponseStartedError, SessionStore
from sessionkit._exchange.drivers import aload
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.scope_session import ScopeSession
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

SECRET = "scope tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}, "n": 1}
store = SessionStore(SECRET)


def request_of(contents: dict[str, Any] | None) -> Exchange:
    cookies = {} if contents is None else session_cookies(store, contents)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Exchange(store.settings, HeaderRequest(header))


def matched(session: Any) -> Any:
    match session:
        case {"n": int(), **rest}:
            return rest
        case _:
            return None


def updated(session: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    made.update(session)
    return made


def keywords(**named: Any) -> dict[str, Any]:
    return named


READ: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "json.dumps": (lambda one: json.loads(json.dumps(one)), ANN),
    "json.dumps, indented": (lambda one: json.loads(json.dumps(one, indent=1)), ANN),
    "json.dumps, sorted": (lambda one: json.dumps(one, sort_keys=True)[:6], '{"n": '),
    "json.dumps, skipping": (lambda one: json.loads(json.dumps(one, skipkeys=True)), ANN),
    "json.dumps, nested": (lambda one: json.loads(json.dumps({"s": [one]})), {"s": [ANN]}),
    "orjson, passed through": (
        lambda one: orjson.loads(
            orjson.dumps(one, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=dict)
        ),
        ANN,
    ),
    "pickle": (lambda one: pickle.loads(pickle.dumps(one)), ANN),
    "copy": (copy.copy, ANN),
    "deepcopy": (copy.deepcopy, ANN),
    "dict": (dict, ANN),
    "unpacking": (lambda one: {**one}, ANN),
    "keywords": (lambda one: keywords(**one), ANN),
    "union": (lambda one: one | {}, ANN),
    "union from the left": (lambda one: {} | one, ANN),
    "update of another": (updated, ANN),
    "list": (list, ["user", "n"]),
    "set": (set, {"user", "n"}),
    "bool": (bool, True),
    "len": (len, 2),
    "equality": (lambda one: one == ANN, True),
    "equality with nothing": (lambda one: {} == one, False),
    "match": (matched, {"user": {"sub": "ann"}}),
}


@pytest.mark.parametrize("name", READ)
def test_it_gives_the_contents(name: str) -> None:
    how, expected = READ[name]
    exchange = request_of(ANN)
    assert expected == how(ScopeSession.of(exchange))
    assert exchange.looked_at


@pytest.mark.parametrize(
    "how", [orjson.dumps, lambda one: orjson.dumps(one, option=orjson.OPT_NON_STR_KEYS), lambda one: orjson.dumps([one], default=str)]
)  # fmt: skip
def test_an_encoder_that_does_not_ask_is_refused(how: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="Dict key must"):
        how(ScopeSession.of(request_of(ANN)))


def test_once_it_was_read_every_encoder_takes_it() -> None:
    exchange = request_of(ANN)
    session = ScopeSession.of(exchange)
    assert session["n"] == 1
    assert ANN == orjson.loads(orjson.dumps(session)) == json.loads(json.dumps(session))


@pytest.mark.parametrize("how", [json.dumps, dict, copy.copy])
def test_where_there_is_no_session_it_is_empty(how: Callable[[Any], Any]) -> None:
    exchange = request_of(None)
    assert how(ScopeSession.of(exchange)) in ("{}", {})


def test_its_entries_cannot_be_taken_in_its_place() -> None:
    # As code in C does, which takes the entries of a dict one by one.
    ((key, value),) = list(dict.items(ScopeSession.of(request_of(ANN))))
    with pytest.raises(TypeError, match="has not been read yet"):
        {key: value}  # noqa: B018
    with pytest.raises(TypeError, match=r"hand out request\.session"):
        str(key)
    assert "<the session has not been read yet>" == repr(key) == repr(value)


def test_a_repr_reads_nothing() -> None:
    exchange = request_of(ANN)
    assert "<Session, not read yet>" == repr(ScopeSession.of(exchange))
    assert not exchange.looked_at


def test_one_that_nobody_read_before_the_request_ended_is_no_empty_one() -> None:
    exchange = request_of(ANN)
    session = ScopeSession.of(exchange)
    del exchange
    with pytest.raises(NoActiveRequestError, match="nobody had read it"):
        json.dumps(session)


@pytest.mark.parametrize("backend", [None, MemoryBackend()], ids=["cookie", "memory"])
def test_one_that_is_read_first_by_the_page_of_a_500_shows_the_session(backend: Any) -> None:
    kept = SessionStore(SECRET, backend=backend)
    with kept.exchange() as login:
        kept.create_session(ANN)
    cookie = next(
        line.partition(";")[0] for name, line in login.response_headers if name == "Set-Cookie"
    )
    exchange = Exchange(kept.settings, HeaderRequest(cookie))
    session = ScopeSession.of(exchange)
    if backend is not None:
        asyncio.run(aload(exchange))
    exchange.close_unread()
    exchange.finish()
    session.mark_accessed()
    assert dict(session) == ANN
    with pytest.raises(ResponseStartedError):
        session["n"] = 2


def test_its_stamp_is_that_of_the_session() -> None:
    exchange = request_of(ANN)
    stamp = ScopeSession.of(exchange).stamp
    assert stamp == exchange.contents.stamp is not None
    exchange = request_of(None)
    assert ScopeSession.of(exchange).stamp is None
