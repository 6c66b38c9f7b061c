"""Views for signed-in users, as decorators: of functions and methods, plain or async, and through `method_decorator`."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpResponse

from sessionkit.adapters import (
    ApiDecorator,
    PageDecorator,
    Refuse,
    api_guard,
    as_request,
    page_guard,
)

__all__ = ["require_session_api", "require_session_page"]


def _guarded(refuse: Refuse, view: Any) -> Any:
    def refused(args: tuple[Any, ...]) -> HttpResponse | None:
        # A method has `self` before the request.
        answer = refuse(next(one for one in args if as_request(one) is not None))
        return (
            None
            if answer is None
            else HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
        )

    @wraps(view)
    def guarded(*args: Any, **named: Any) -> Any:
        return refused(args) or view(*args, **named)

    @wraps(view)
    async def guarded_async(*args: Any, **named: Any) -> Any:
        return refused(args) or await view(*args, **named)

    return guarded_async if _is_async(view) else guarded


def _is_async(view: Any) -> bool:
    """Whether its result is awaited; of a class-based view `dispatch` itself is a plain function."""
    instance = getattr(getattr(view, "func", view), "__self__", None)
    return iscoroutinefunction(view) or bool(getattr(instance, "view_is_async", False))


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
