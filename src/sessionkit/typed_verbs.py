"""The verbs for the request and response types of a framework that has neither environ nor scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

from typing_extensions import deprecated

from . import default
from .session import Session

__all__ = ["TypedVerbs"]

Request = TypeVar("Request")
Response = TypeVar("Response")

_update: Callable[..., bool] = default.update_session  # any of its forms: the overloads below tell them apart


class TypedVerbs(Generic[Request, Response]):
    """The module-level verbs, typed for a framework: `TypedVerbs[web.Request, web.StreamResponse]()`.

    They find their store as the module-level ones do; their adapter has taught them the types with
    `register_request` and `register_response`.
    """

    __slots__ = ()

    @overload
    def get_session(self) -> Session | None: ...
    @overload
    def get_session(self, request: Request, /) -> Session | None: ...
    @overload
    def get_session(self, request: Request, response: Response, /) -> Session | None: ...
    def get_session(self, *args: Any) -> Session | None:
        """The session of an authenticated user, or None; see `sessionkit.get_session`."""
        return default.get_session(*args)

    @overload
    def update_session(self) -> bool: ...
    @overload
    @deprecated("the session is missing: update_session(request, session)")
    def update_session(self, request: Request, /) -> bool: ...
    @overload
    def update_session(self, session: Mapping[str, Any] | None, /) -> bool: ...
    @overload
    def update_session(self, request: Request, session: Mapping[str, Any] | None, /) -> bool: ...
    @overload
    def update_session(self, request: Request, response: Response, session: Mapping[str, Any] | None, /) -> bool: ...
    def update_session(self, *args: Any) -> bool:
        """Replace the contents of the session; see `sessionkit.update_session`."""
        return _update(*args)

    @overload
    def touch_session(self) -> bool: ...
    @overload
    def touch_session(self, request: Request, /) -> bool: ...
    @overload
    def touch_session(self, request: Request, response: Response, /) -> bool: ...
    def touch_session(self, *args: Any) -> bool:
        """Move the idle expiry, now; see `sessionkit.touch_session`."""
        return default.touch_session(*args)

    @overload
    def create_session(self, session: Mapping[str, Any], /) -> Session: ...
    @overload
    def create_session(self, request: Request, session: Mapping[str, Any], /) -> Session: ...
    @overload
    def create_session(self, request: Request, response: Response, session: Mapping[str, Any], /) -> Session: ...
    def create_session(self, *args: Any) -> Session:
        """Begin a session: what a login handler calls; see `sessionkit.create_session`."""
        return default.create_session(*args)

    @overload
    def rotate_session(self) -> bool: ...
    @overload
    def rotate_session(self, request: Request, /) -> bool: ...
    @overload
    def rotate_session(self, request: Request, response: Response, /) -> bool: ...
    def rotate_session(self, *args: Any) -> bool:
        """Give the session a new id with the same contents; see `sessionkit.rotate_session`."""
        return default.rotate_session(*args)

    @overload
    def delete_session(self) -> bool: ...
    @overload
    def delete_session(self, request: Request, /) -> bool: ...
    @overload
    def delete_session(self, request: Request, response: Response, /) -> bool: ...
    def delete_session(self, *args: Any) -> bool:
        """End the session: what a logout handler calls; see `sessionkit.delete_session`."""
        return default.delete_session(*args)
