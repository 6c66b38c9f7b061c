"""Views for signed-in users."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast, overload

from pyramid.response import Response

from sessionkit import get_session
from sessionkit.request import WSGIRequest
from sessionkit.required import Refusal, api_refusal, page_refusal

__all__ = ["require_session_api", "require_session_page"]

View = TypeVar("View", bound=Callable[..., Any])


def require_session_api(view: View) -> View:
    """A view for signed-in users: everybody else gets 401 and a JSON body.

    On a function or method, or `view_config(decorator=require_session_api)`.
    """
    return _guarded(view, lambda _: api_refusal())


@overload
def require_session_page(view: View, /) -> View: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[View], View]: ...
def require_session_page(view: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        view: the view, where the decorator is used bare.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(view: View) -> View:
        return _guarded(view, lambda request: page_refusal(WSGIRequest(request.environ), **urls))

    return guard if view is None else guard(view)


def _guarded(view: View, refusal: Callable[[Any], Refusal]) -> View:
    """Pyramid looks at how many arguments a view takes: `(request)`, `(context, request)`, or a method's `(self)`."""
    if len(inspect.signature(view).parameters) == 1:

        @wraps(view)
        def guarded_one(one: Any) -> Any:
            request = one if hasattr(one, "environ") else one.request
            return view(one) if get_session(request) is not None else _Refused(refusal(request))

        return cast("View", guarded_one)

    @wraps(view)
    def guarded(context: Any, request: Any) -> Any:
        return view(context, request) if get_session(request) is not None else _Refused(refusal(request))

    return cast("View", guarded)


class _Refused(Response):  # type: ignore[misc]  # Pyramid has no types
    """A refusal as it is: WebOb would make its Location absolute by what the Host header says."""

    def __init__(self, refused: Refusal) -> None:
        super().__init__(body=refused.body, status=refused.status, headerlist=list(refused.headers))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headerlist)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.app_iter
