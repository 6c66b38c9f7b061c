"""Views for signed-in users, as decorators: of functions and methods, plain or async, and through `method_decorator`."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpResponse

from sessionkit.adapters import Refusal, make_guards

__all__ = ["require_session_api", "require_session_page"]


def _respond(refusal: Refusal, *_: Any, **__: Any) -> HttpResponse:
    return HttpResponse(refusal.body, status=refusal.status, headers=dict(refusal.headers))


def _is_async(view: Any) -> bool:
    """Return whether Django awaits a view. The `dispatch` of a class-based view is a plain function in any case."""
    instance = getattr(getattr(view, "func", view), "__self__", None)
    return iscoroutinefunction(view) or bool(getattr(instance, "view_is_async", False))


require_session_api, require_session_page = make_guards(_respond, is_async=_is_async)
