"""Views for signed-in users, as decorators."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast, overload

from django.http import HttpResponse

from sessionkit import get_session
from sessionkit.dispatch import view as request_in
from sessionkit.request import RequestInfo
from sessionkit.required import Refusal, api_refusal, page_refusal

__all__ = ["require_session_api", "require_session_page"]

View = TypeVar("View", bound=Callable[..., Any])


def require_session_api(view: View) -> View:
    """A view for signed-in users: everybody else gets 401 and a JSON body."""
    return _guarded(view, lambda _: api_refusal())


@overload
def require_session_page(view: View, /) -> View: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[View], View]: ...
def require_session_page(view: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        view: the view, where the decorator is used bare: a plain or async function, or a method.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(view: View) -> View:
        return _guarded(view, lambda request: page_refusal(request, **urls))

    return guard if view is None else guard(view)


def _guarded(view: View, refusal: Callable[[RequestInfo], Refusal]) -> View:
    def refused(args: tuple[Any, ...]) -> HttpResponse | None:
        # A method has `self` before the request.
        request, info = next((one, info) for one in args if (info := request_in(one)) is not None)
        if get_session(request) is not None:
            return None
        answer = refusal(info)
        return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

    @wraps(view)
    def guarded(*args: Any, **named: Any) -> Any:
        return refused(args) or view(*args, **named)

    @wraps(view)
    async def guarded_async(*args: Any, **named: Any) -> Any:
        return refused(args) or await view(*args, **named)

    return cast("View", guarded_async if _is_async(view) else guarded)


def _is_async(view: Any) -> bool:
    """Whether its result is awaited; of a class-based view `dispatch` itself is a plain function."""
    instance = getattr(getattr(view, "func", view), "__self__", None)
    return iscoroutinefunction(view) or bool(getattr(instance, "view_is_async", False))
