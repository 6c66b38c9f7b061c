"""The session engine, `SESSION_ENGINE = "sessionkit_django.engine"`: a session with the methods by which Django saves and ends it."""

from __future__ import annotations

import warnings
from typing import Any

from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured
from django.http import parse_cookie

from sessionkit import Exchange, NoActiveRequestError, Session
from sessionkit.adapters import ASGIRequest, HeaderRequest

from .config import gateway, project_store
from .session import DjangoSession

__all__ = ["SessionStore"]

BEGUN = "_session_begun"
"""The key that `create` puts into an empty session, since an empty session is not kept."""

NOT_KEPT = (
    "{}: no response would carry the cookies of this session, so nothing would be kept. In a view use request.session; what a job "
    "must find by a key belongs into a model or into django.core.cache; around the consumers of Channels put "
    "sessionkit_django.asgi(...). In tests use sessionkit_django.testing.Client (its module's install() is for Django's own "
    "clients), and sessionkit_django.SessionMiddleware for the requests of a RequestFactory"
)


class SessionStore(DjangoSession):
    """`request.session`: nested changes are saved, nothing is decrypted before it is used, and nothing ever waits.

    Its `session_key` is the session's id, never the token: it is safe in logs and tables, and opens nothing.

    One made without a request's session (`SessionStore()` in a job, or with the key of a session elsewhere) is an empty
    mapping that cannot be kept: what would save or end it raises `NoActiveRequestError`.

    Args:
        session_key: of the current request's session; any other finds nothing.
        exchange: the request's.
    """

    def __init__(self, session_key: str | None = None, *, exchange: Exchange | None = None) -> None:
        settings = gateway().settings
        if exchange is None:
            exchange = _current()
            if exchange is not None and not _has_key(exchange, session_key):
                self.in_consumer = _serves_consumer(exchange, session_key)
                if self.in_consumer:
                    exchange.serve_framework(settings)
                else:
                    exchange = None
        if exchange is None:
            _warn_of_token(session_key)
            exchange = Exchange(settings, HeaderRequest(), owned=False)
        super().__init__(exchange)

    def flush(self) -> None:
        """End the session: a logout."""
        self.delete()
        self.modified = True

    def cycle_key(self) -> None:
        """Give the session a new id; the earlier session is dead."""
        self._answered("cycle_key")
        self.exchange.rotate()

    def create(self) -> None:
        """Give the session a new id; a visitor without a session gets one."""
        self._answered("create")
        if not self.exchange.rotate():
            self[BEGUN] = True

    def delete(self, session_key: str | None = None) -> None:
        """End the session.

        Args:
            session_key: None for its own, or the key of the current request's session.

        Raises:
            NoActiveRequestError: it is another's: a cookie in another browser cannot be ended from here.
        """
        if session_key in (None, self.session_key):
            self._answered("delete")
            self.exchange.delete()
            return
        exchange = _with_key(session_key)
        if exchange is None:
            raise NoActiveRequestError(
                "delete: this is not the key of the current request's session, and a session that lives in the cookies of "
                "another browser cannot be ended from here: end it where the user is looked up (a new password does)"
            )
        exchange.delete()

    def exists(self, session_key: str | None = None) -> bool:
        """Return whether a key is the key of this session, or of the session of the current request."""
        return session_key is not None and (
            session_key == self.session_key or _with_key(session_key) is not None
        )

    def load(self) -> dict[str, Any]:
        """Return the contents as a plain dict."""
        return self.copy()

    def save(self, must_create: bool = False) -> None:  # SessionBase's signature
        """Check that the session can be kept, which the response then does; a visitor without a session gets one.

        Raises:
            NoActiveRequestError: it is not the session of a request.
            SerializationError, SessionTooLargeError: it cannot be kept.
            ResponseStartedError: the response's headers have gone out.
        """
        self._answered("save")
        self.exchange.writing()
        if self.session_key is None:
            self[BEGUN] = True
        self.exchange.check()

    @classmethod
    def clear_expired(cls) -> None:
        """Do nothing: cookies expire by themselves."""

    def _answered(self, what: str) -> None:
        """Raise if no response will carry the session."""
        if not self.exchange.owned:
            raise NoActiveRequestError(NOT_KEPT.format(what))


def _current() -> Exchange | None:
    """Return the project's exchange of the current request, if there is one."""
    try:
        return project_store().get_exchange()
    except NoActiveRequestError:
        return None


def _with_key(session_key: str | None) -> Exchange | None:
    """Return the exchange of the current request, if the key is its session's."""
    exchange = _current()
    return exchange if exchange is not None and _has_key(exchange, session_key) else None


def _has_key(exchange: Exchange, session_key: str | None) -> bool:
    """Return whether the key is that of the exchange's session."""
    if not session_key:
        return False
    stamp = exchange.contents.stamp
    return stamp is not None and stamp.id == session_key


def _serves_consumer(exchange: Exchange, session_key: str | None) -> bool:
    """Return whether Channels asks for the session of its connection: it gives the value of one cookie, or None.

    Our middleware watches the exchange of what Django serves; there SessionStore() is a session of its own.
    """
    request = exchange.request
    if not isinstance(request, ASGIRequest) or exchange.fill is not Session:
        return False
    name = project.SESSION_COOKIE_NAME
    if session_key is not None and session_key != parse_cookie(request.cookie_header).get(name):
        return False
    if (
        request.holder["type"] == "http"
        and "session" not in request.holder
        and project.SESSION_SAVE_EVERY_REQUEST
        and name == exchange.settings.name
    ):
        raise ImproperlyConfigured(
            "sessionkit: with SESSION_SAVE_EVERY_REQUEST the SessionMiddleware of Channels would overwrite the session's cookie: "
            "put sessionkit_django.asgi(...) around the ProtocolTypeRouter, which serves the session in its place"
        )
    return True


def _warn_of_token(session_key: str | None) -> None:
    if session_key is not None and "." in session_key:  # no key has one
        warnings.warn(
            "SessionStore was given the value of a session's cookie, which finds nothing: it takes a session key. In tests use "
            "sessionkit_django.testing.Client; around Channels put sessionkit_django.asgi(...)",
            stacklevel=3,
        )
