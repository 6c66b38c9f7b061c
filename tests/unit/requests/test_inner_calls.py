"""An application calls another of the site in process, in its own task: afterwards its own request is the current one again."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
from typing import Any

import pytest

from sessionkit import (
    CookieSettings,
    NoActiveRequestError,
    SessionStore,
    delete_session,
    get_session,
)
from sessionkit._requests.current import get_last_current, restore_current, set_current
from sessionkit._requests.lookup import Exclusion

from ..asked import header, serve, who, wsgi_page
from ..scene import ALICE, BOB, OTHER_SECRET, SECRET
from ..served import Wire, environ_of, scope_of, serve_asgi

STORE = SessionStore(SECRET)
OTHER = SessionStore(OTHER_SECRET, cookie=CookieSettings(name="other"))


async def page(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] in ("http", "websocket"):
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def fails(scope: Any, receive: Any, send: Any) -> None:
    raise OSError


async def call(app: Any, scope: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        await app(scope, None, Wire().send)


def in_process(app: Any) -> Any:
    return lambda scope: call(app, scope_of(header(STORE, BOB)))


def copied(app: Any) -> Any:
    return lambda scope: call(app, dict(scope))


def lifespan(app: Any) -> Any:
    return lambda scope: call(app, {"type": "lifespan"})


def socket(app: Any) -> Any:
    return lambda scope: call(app, scope_of("", type="websocket"))


@pytest.mark.parametrize("how", [in_process, copied, lifespan, socket])
@pytest.mark.parametrize(
    "inner",
    [
        STORE.asgi(page), STORE.asgi(fails), STORE.asgi(page, exclude="*"), STORE.asgi(fails, exclude="*"),
        OTHER.asgi(page), OTHER.asgi(fails), OTHER.asgi(STORE.asgi(page)), STORE.asgi(page, origins=["https://a.example"]),
    ],
)  # fmt: skip
def test_the_request_is_the_current_one_again_after_an_inner_call(inner: Any, how: Any) -> None:
    seen: list[Any] = []

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        await how(inner)(scope)
        seen.extend([who(get_session()), delete_session()])
        await page(scope, receive, send)

    wire = serve_asgi(STORE.asgi(outer), header(STORE, ALICE))
    assert seen == ["alice", True]
    assert "__Host-session=;" in wire.answer.lines[0]


def test_it_is_after_an_inner_wsgi_application_too() -> None:
    seen: list[Any] = []
    inner = STORE.wsgi(wsgi_page(lambda environ: seen.append(who(get_session()))))

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        serve(inner, environ_of(header(STORE, BOB)))
        seen.append(who(get_session()))
        await page(scope, receive, send)

    serve_asgi(STORE.asgi(outer), header(STORE, ALICE))
    assert seen == ["bob", "alice"]


def test_an_excluded_path_is_without_a_session_again_after_an_inner_call() -> None:
    seen: list[Any] = []
    inner = STORE.asgi(page)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        await call(inner, scope_of(header(STORE, BOB)))
        seen.append(get_session())
        await page(scope, receive, send)

    serve_asgi(STORE.asgi(outer, exclude="*"), header(STORE, ALICE))
    assert seen == [None]


def test_a_coroutine_that_is_collected_takes_nothing_from_the_request_it_is_collected_in() -> None:
    seen: list[Any] = []

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.get_running_loop().create_future()

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        coroutine = STORE.asgi(waits)(scope_of(), None, Wire().send)
        contextvars.Context().run(coroutine.send, None)
        del coroutine
        gc.collect()
        seen.append(who(get_session()))
        await page(scope, receive, send)

    serve_asgi(STORE.asgi(outer), header(STORE, ALICE))
    assert seen == ["alice"]


def test_what_another_has_made_current_is_not_put_back() -> None:
    def scenario() -> Any:
        mine, theirs = Exclusion(STORE.settings), Exclusion(STORE.settings)
        set_current(theirs)
        restore_current(mine, None)
        kept = get_last_current() is theirs
        restore_current(theirs, None)
        return kept, get_last_current()

    assert contextvars.Context().run(scenario) == (True, None)


def test_nothing_is_current_after_the_outermost_gateway() -> None:
    async def main() -> None:
        await call(STORE.asgi(page), scope_of(header(STORE, ALICE)))
        with pytest.raises(NoActiveRequestError):
            get_session()

    asyncio.run(main())
