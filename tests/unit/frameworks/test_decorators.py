"""The guards of an adapter, as decorators of its handlers and as hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from sessionkit import SessionStore, configure
from sessionkit._exchange.request import HOLDER
from sessionkit.adapters import Refusal, Refuse, make_guards, make_hooks
from sessionkit.testing import session_cookies

STORE = SessionStore("decorators: 0123456789abcdefghijklmnopqrstuvwxyz")


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    configure(STORE)
    yield
    configure(None)


def environ_of(*, signed_in: bool) -> dict[str, Any]:
    cookies = session_cookies(STORE, {"user": {"sub": "ann"}}) if signed_in else {}
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/here", "HTTP_COOKIE": header}


def answer(refusal: Refusal, *args: Any, **named: Any) -> Any:
    return refusal.status, refusal.location, len(args) + len(named)


api, page = make_guards(answer)


def plain(environ: Any) -> Any:
    """Say so."""
    return "plain", environ["PATH_INFO"]


async def awaited(environ: Any) -> Any:
    return "awaited", environ["PATH_INFO"]


def test_a_signed_in_user_reaches_a_plain_handler_and_an_async_one() -> None:
    environ = environ_of(signed_in=True)
    assert api(plain)(environ) == ("plain", "/here")
    assert asyncio.run(api(awaited)(environ)) == ("awaited", "/here")


def test_everybody_else_gets_the_adapters_answer() -> None:
    environ = environ_of(signed_in=False)
    assert api(plain)(environ) == (401, None, 1)
    assert asyncio.run(page(awaited)(environ)) == (302, "/auth/login?returnTo=/here", 1)
    assert page(login_url="/in")(plain)(environ) == (302, "/in?returnTo=/here", 1)


def test_an_answer_that_must_be_awaited_is_awaited_where_the_handler_is() -> None:
    async def close(refusal: Refusal, *_: Any) -> Any:
        return refusal.status

    guard, _ = make_guards(close)
    assert asyncio.run(guard(awaited)(environ_of(signed_in=False))) == 401


def test_a_guarded_handler_looks_like_the_handler() -> None:
    assert (api(plain).__name__, api(plain).__doc__) == ("plain", "Say so.")


class View:
    @api
    def get(self, environ: Any) -> Any:
        return self, environ["PATH_INFO"]

    @page
    async def post(self, *, environ: Any) -> Any:
        return self, environ["PATH_INFO"]


def test_in_a_method_the_request_is_found_by_position_and_by_name() -> None:
    view, environ = View(), environ_of(signed_in=True)
    assert view.get(environ) == (view, "/here")
    assert asyncio.run(view.post(environ=environ)) == (view, "/here")
    assert view.get(environ_of(signed_in=False)) == (401, None, 2)


@pytest.mark.parametrize("guard", [api, page, page(login_url="/in")])
def test_a_class_is_refused_where_it_is_decorated(guard: Any) -> None:
    with pytest.raises(TypeError, match="View is a class: the guards decorate its methods"):
        guard(View)


def test_a_class_that_the_framework_awaits_or_adapts_is_a_handler() -> None:
    class Awaited:
        def __init__(self, environ: Any) -> None:
            self.path = environ["PATH_INFO"]

        def __await__(self) -> Iterator[Any]:
            yield from ()
            return self.path

    environ = environ_of(signed_in=True)
    guard, _ = make_guards(answer, is_async=lambda _: True)
    assert asyncio.run(guard(Awaited)(environ)) == "/here"
    guard, _ = make_guards(answer, adapt=lambda view: lambda environ: view(environ).path)
    assert guard(Awaited)(environ) == "/here"


def test_without_a_request_a_handler_says_so() -> None:
    with pytest.raises(TypeError, match="plain.*was called without a request"):
        api(plain)("no request")


def test_an_adapter_says_where_the_request_is_what_is_async_and_how_a_handler_is_called() -> None:
    guard, _ = make_guards(
        answer,
        find_request=lambda *_: environ_of(signed_in=True),
        is_async=lambda _: True,
        adapt=lambda handler: lambda *args: handler(args[-1]),
    )

    def handler(last: Any) -> Any:
        return asyncio.sleep(0, last)

    assert asyncio.run(guard(handler)("first", "last")) == "last"


def test_the_frameworks_own_setting_names_the_login_page() -> None:
    _, guard = make_guards(answer, login_url_of=lambda environ: environ["PATH_INFO"] + "/in")
    assert guard(plain)(environ_of(signed_in=False))[1] == "/here/in?returnTo=/here"


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_failure_leaves_no_cookie_in_the_frames_of_a_guard(signed_in: bool) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise LookupError

    async def fail_later(*_: Any, **__: Any) -> Any:
        raise LookupError

    guard, _ = make_guards(fail)
    environ = environ_of(signed_in=signed_in)
    for call in (guard(fail), lambda given: asyncio.run(guard(fail_later)(given))):
        with pytest.raises(LookupError) as caught:
            call(environ)
        frames = [one.frame for one in caught.traceback if "decorators.py" in str(one.path)]
        ours = [frame for frame in frames if "_frameworks" in str(frame.code.path)]
        assert ours
        assert all({"args", "named"}.isdisjoint(frame.f_locals) for frame in ours)


def check(refuse: Refuse, environ: Any, response: str) -> Any:
    return refuse(environ), response


def test_hooks_are_called_with_the_request_bare_and_made_by_a_call() -> None:
    api_hook, page_hook = make_hooks(check)
    environ = environ_of(signed_in=False)
    assert api_hook(environ_of(signed_in=True), "response") == (None, "response")
    assert api_hook(environ, "response")[0].status == 401
    assert page_hook(login_url="/in")(environ, "response")[0].location == "/in?returnTo=/here"
    _, own = make_hooks(check, login_url_of=lambda _: "/own")
    assert own(environ, "response")[0].location == "/own?returnTo=/here"
    assert HOLDER in environ
