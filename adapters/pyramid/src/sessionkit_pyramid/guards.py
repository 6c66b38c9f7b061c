"""Views for signed-in users: functions, methods of view classes, and any view by `view_config(decorator=require_session_api)`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import wraps
from typing import Any

from pyramid.response import Response

from sessionkit.adapters import ApiDecorator, PageDecorator, Refusal, Refuse, api_guard, page_guard

__all__ = ["require_session_api", "require_session_page"]


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _guarded(refuse: Refuse, view: Any) -> Any:
    """Pyramid looks at how many arguments a view needs, and gives this one `(context, request)`, or a method's `(self)`."""
    parameters = inspect.signature(view).parameters.values()
    taken = sum(one.kind in _POSITIONAL and one.default is one.empty for one in parameters) or 2

    @wraps(view)
    def guarded(*args: Any) -> Any:
        last = args[-1]
        refused = refuse(last if hasattr(last, "environ") else last.request)
        return view(*args[-taken:]) if refused is None else _Refused(refused)

    return guarded


class _Refused(Response):  # type: ignore[misc]  # Pyramid has no types
    """A refusal as it is: WebOb would make its Location absolute by what the Host header says."""

    def __init__(self, refused: Refusal) -> None:
        super().__init__(body=refused.body, status=refused.status, headerlist=list(refused.headers))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headerlist)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.app_iter


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
