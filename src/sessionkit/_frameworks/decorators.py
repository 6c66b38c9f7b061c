"""The two guards of an adapter: decorators of handlers, or hooks that the framework calls with the request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Concatenate, TypeVar

from typing_extensions import ParamSpec

from .._requests.recognition import as_request
from .guards import ApiDecorator, PageDecorator, PageHook, Refuse, api_guard, page_guard

__all__ = ["make_guards", "make_hooks"]

P = ParamSpec("P")
Result = TypeVar("Result")


def make_guards(
    answer: Callable[..., Any],
    *,
    find_request: Callable[..., Any] | None = None,
    is_async: Callable[[Any], bool] = iscoroutinefunction,
    adapt: Callable[[Any], Callable[..., Any]] | None = None,
    login_url_of: Callable[[Any], str | None] | None = None,
) -> tuple[ApiDecorator, PageDecorator]:
    """Make `require_session_api` and `require_session_page` of a framework that decorates its handlers.

    Both decorate functions and methods, plain and async. A decorated handler runs for signed-in users only.

    Args:
        answer: makes the framework's response from a `Refusal`. It is called with the refusal and the handler's arguments;
            for an async handler it may return an awaitable.
        find_request: a function of the handler's arguments, which returns the request. By default, the request is the first
            argument that the verbs accept as a request.
        is_async: returns whether the framework awaits a handler.
        adapt: returns, for a handler, the callable that takes the arguments that the framework passes. By default, this is the
            handler itself.
        login_url_of: a function of the request, which returns the login URL of the framework's own settings, or None.

    Returns:
        The two guards. The second can be used bare, or called with `login_url=`, `logout_url=` and `default=`.
    """

    def guard(refuse: Refuse, handler: Any) -> Any:
        if isinstance(handler, type) and adapt is None and not is_async(handler):
            raise TypeError(
                f"{handler.__name__} is a class: the guards decorate its methods, or the view that the framework makes of it"
            )
        find = find_request or partial(_find_first_request, handler)
        call = handler if adapt is None else adapt(handler)

        @wraps(handler)
        def guarded(*args: Any, **named: Any) -> Any:
            try:
                refusal = refuse(find(*args, **named))
                return call(*args, **named) if refusal is None else answer(refusal, *args, **named)
            finally:
                del (
                    args,
                    named,
                )  # they hold the cookies, and a traceback shows this frame's variables

        @wraps(handler)
        async def guarded_async(*args: Any, **named: Any) -> Any:
            try:
                refusal = refuse(find(*args, **named))
                if refusal is None:
                    return await call(*args, **named)
                answered = answer(refusal, *args, **named)
                return await answered if isawaitable(answered) else answered
            finally:
                del args, named

        return guarded_async if is_async(handler) else guarded

    return api_guard(guard), page_guard(guard, login_url_of=login_url_of)


def make_hooks(
    check: Callable[Concatenate[Refuse, P], Result],
    *,
    login_url_of: Callable[[Any], str | None] | None = None,
) -> tuple[Callable[P, Result], PageHook[P, Result]]:
    """Make `require_session_api` and `require_session_page` of a framework that calls its guards with the request.

    Args:
        check: called with a `Refuse` and the arguments that the framework passes. It calls the `Refuse` with the request. If
            the result is a `Refusal`, it responds with it, usually by raising an exception.
        login_url_of: as for `make_guards`.

    Returns:
        The two hooks, with the arguments and the result of `check`. The second can be used bare, or called with URLs.
    """
    return api_guard(check), page_guard(check, login_url_of=login_url_of)


def _find_first_request(handler: object, /, *args: Any, **named: Any) -> Any:
    """Return the first argument that the verbs accept as a request. In a method, `self` comes before it."""
    try:
        for one in (*args, *named.values()):
            if as_request(one) is not None:
                return one
    finally:
        del args, named
    raise TypeError(
        f"{handler!r} was called without a request: the guards are for endpoints and their methods"
    )
