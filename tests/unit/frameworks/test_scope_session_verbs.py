"""What an application has put in the place of the session object, and a verb that is called afterwards: the later one counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import (
    SessionStore,
    create_session,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    save_session,
    touch_session,
    update_session,
)
from sessionkit._frameworks.scope_session import ScopeSessionMiddleware
from sessionkit.backends import MemoryBackend
from sessionkit.errors import ResponseStartedError
from sessionkit.testing import read_cookies, session_cookies

from ..asked import header
from ..served import serve_asgi

SECRET = "verbs after a replacement: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN, BOB = {"user": {"sub": "ann"}, "n": 1}, {"user": {"sub": "bob"}}


def put(scope: Any, value: Any) -> Any:
    scope["session"] = value
    return value


def after(act: Callable[[Any], Any], *, on_server: bool = False, gateways: int = 1) -> Any:
    """The contents of Ann's session once a request has acted on its scope; None if there is none."""
    store = SessionStore(SECRET, backend=MemoryBackend() if on_server else None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        act(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    served: Any = app
    for _ in range(gateways):
        served = ScopeSessionMiddleware(served, store)
    cookies = session_cookies(store, ANN)
    sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return read_cookies(store, serve_asgi(served, sent).answer.lines, cookies)


ACTS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "a login after a logout": (lambda scope: (put(scope, {}), create_session(BOB)), BOB),
    "a login after None": (lambda scope: (put(scope, None), create_session(BOB)), BOB),
    "a login after a login": (lambda scope: (put(scope, ANN), create_session(BOB)), BOB),
    "a logout after a login": (lambda scope: (put(scope, BOB), delete_session()), None),
    "a logout after a change": (lambda scope: (put(scope, {**ANN, "n": 2}), delete_session()), None),
    "an update": (lambda scope: (put(scope, BOB), update_session({**BOB, "n": 2})), {**BOB, "n": 2}),
    "a merged update": (lambda scope: (put(scope, BOB), save_session({"n": 2})), {**BOB, "n": 2}),
    "an update of one who is gone": (lambda scope: (put(scope, {}), update_session({**ANN, "n": 2})), None),
    "a rotation": (lambda scope: (put(scope, BOB), rotate_session()), BOB),
    "a touch": (lambda scope: (put(scope, BOB), touch_session()), BOB),
    "an exchange": (lambda scope: (put(scope, BOB), get_exchange().update(ANN)), BOB),
    "an assignment": (lambda scope: (put(scope, BOB), get_exchange().contents.update(n=2)), {**BOB, "n": 2}),
    "a replacement after a verb": (lambda scope: (create_session(BOB), put(scope, ANN)), ANN),
    "a change of the live session": (lambda scope: (put(scope, dict(ANN)), get_session().update(n=2)), {**ANN, "n": 2}),  # type: ignore[union-attr]
    "a change of what was put there": (lambda scope: (one := put(scope, {**BOB}), get_session(), one.update(n=2)), {**BOB, "n": 2}),
    "a change through the scope": (lambda scope: (put(scope, {**BOB}), get_session(), scope["session"].update(n=2)), {**BOB, "n": 2}),
    "another one after a verb": (lambda scope: (put(scope, ANN), get_session(), put(scope, {**ANN})), ANN),
    "two verbs": (lambda scope: (put(scope, {}), get_session(), create_session(BOB), get_session()), BOB),
}  # fmt: skip


@pytest.mark.parametrize("on_server", [False, True])
@pytest.mark.parametrize("gateways", [1, 2])
@pytest.mark.parametrize("act", ACTS)
def test_the_later_one_counts(act: str, gateways: int, on_server: bool) -> None:
    acted, left = ACTS[act]
    assert after(acted, gateways=gateways, on_server=on_server) == left


@pytest.mark.parametrize("value", [{}, None, {"n": 1}])
def test_a_verb_finds_a_logout(value: Any) -> None:
    found: list[Any] = []
    after(lambda scope: (put(scope, value), found.append(get_session())))
    assert found == [None]


def test_a_verb_finds_a_login() -> None:
    found: list[Any] = []
    after(lambda scope: (put(scope, BOB), found.append(get_session())))
    assert found == [BOB]


def test_a_verb_refuses_what_is_no_session() -> None:
    with pytest.raises(TypeError, match="was replaced by list"):
        after(lambda scope: (put(scope, [1]), get_session()))


def test_a_verb_after_the_start_of_the_response_takes_nothing_over() -> None:
    store = SessionStore(SECRET)
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        put(scope, {})
        found.append(dict(get_session() or {}))
        with pytest.raises(ResponseStartedError):
            create_session(BOB)
        await send({"type": "http.response.body", "body": b""})

    serve_asgi(ScopeSessionMiddleware(app, store), header(store, ANN))
    assert found == [ANN]


def test_a_login_by_a_dict_is_the_current_session_of_the_verbs_for_the_server() -> None:
    store = SessionStore(SECRET, backend=MemoryBackend())
    session_cookies(store, BOB)
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        put(scope, dict(BOB))
        found.append(store.revoke_user(BOB, keep_current=True))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    wire = serve_asgi(ScopeSessionMiddleware(app, store), header(store, ANN))
    assert read_cookies(store, wire.answer.lines) == BOB
    assert found == [1]
