"""The base of extensions with an `init_app` method (Bottle, Flask, Quart, Sanic)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from .._requests.gateway_arguments import check_app, check_store
from .._session.tracebacks import clears_frames
from ..store import SessionStore

__all__ = ["App", "Extension"]

App = TypeVar("App")


class Extension(ABC, Generic[App]):
    """Base of extensions with an `init_app` method: `SessionKit(app)`, or `SessionKit()` and then `init_app(app)`.

    Args:
        app: the application.
        store: the store; without one it is made from the framework's own settings.
        **settings: arguments of `SessionStore`, which win over the framework's settings.

    Raises:
        TypeError: a store was passed as the application, or the argument for the store is not a store.
    """

    call = "SessionKit(app, store=store)"
    """The call that makes the extension, for error messages."""

    @clears_frames
    def __init__(
        self, app: App | None = None, store: SessionStore | None = None, **settings: Any
    ) -> None:
        if store is not None:
            check_store(store, self.call)
        self.store = store
        self.settings = settings
        if app is not None:
            self.init_app(app)

    @clears_frames
    def init_app(self, app: App) -> None:
        """Serve an application; one object can serve several.

        Args:
            app: the application of the framework.

        Raises:
            TypeError: a store was passed as the application.
        """
        check_app(app, self.call)
        self._serve(app)

    @abstractmethod
    def _serve(self, app: App) -> None:
        """Put the gateway around an application. This is the adapter's part of `init_app`."""
