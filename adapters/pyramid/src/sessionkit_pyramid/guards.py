"""Views for signed-in users: functions, methods of view classes, and any view by `view_config(decorator=require_session_api)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from pyramid.response import Response

from sessionkit.adapters import Refusal, make_guards

__all__ = ["require_session_api", "require_session_page"]


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _find_request(*args: Any) -> Any:
    last = args[-1]
    return last if hasattr(last, "environ") else last.request


def _adapt(view: Any) -> Callable[..., Any]:
    """Call a view with the arguments that it takes. Pyramid passes a guarded view `(context, request)`, or `(self)` for a method."""
    parameters = inspect.signature(view).parameters.values()
    taken = sum(one.kind in _POSITIONAL and one.default is one.empty for one in parameters) or 2

    return lambda *args: view(*args[-taken:])


class _Refused(Response):  # type: ignore[misc]  # Pyramid has no types
    """The response of a refusal, with its headers unchanged. WebOb would make Location absolute, with the Host header."""

    def __init__(self, refusal: Refusal, *_: Any) -> None:
        super().__init__(body=refusal.body, status=refusal.status, headerlist=list(refusal.headers))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headerlist)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.app_iter


require_session_api, require_session_page = make_guards(
    _Refused, find_request=_find_request, adapt=_adapt
)
