"""The session engine, `SESSION_ENGINE = "sessionkit_django.engine"`. Its `SessionStore` finds the session of its caller."""

from __future__ import annotations

import warnings

from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured
from django.http import parse_cookie

from sessionkit import Exchange, Session
from sessionkit.adapters import ASGIRequest, HeaderRequest, SessionKeys, find_or_open_exchange

from .callers import (
    find_channels_wrapper,
    find_test_client,
    is_channels_asking,
    may_be_asked_by_old_channels,
)
from .clients import make_class_in_client
from .config import gateway
from .saving import SavedSession, find_current, has_key, make_loader

__all__ = ["SessionStore"]


class SessionStore(SavedSession):
    """`request.session`. Nested changes are saved, and nothing is read or decrypted before its first use.

    The `session_key` is never the token of the cookie. It is safe in logs and tables, because it opens no session in a cookie.

    Outside a request, or with the key of another session, `SessionStore(key)` loads, saves and ends the session with that key
    on the server. This needs a backend. Without one the object is an empty mapping, and saving or ending it raises
    `NoActiveRequestError`.

    An object that a test client of Django makes is the session of that client.

    Args:
        session_key: the key of the current request's session, or of a session on the server. Any other key finds no session.
        exchange: the exchange of the request.
    """

    def __init__(self, session_key: str | None = None, *, exchange: Exchange | None = None) -> None:
        if exchange is None:
            client = find_test_client()
            if client is not None:
                # Django's client names this class itself. So `session.__class__(key)` finds the client's session.
                self.__class__ = made = make_class_in_client(type(self))  # type: ignore[assignment]  # a subclass
                made.open(self, client)  # type: ignore[arg-type]  # as above
                return
            exchange = self._find(session_key) or self._open(session_key)
        super().__init__(exchange)

    def _find(self, session_key: str | None) -> Exchange | None:
        """Return the exchange of the current request, if the key names its session or no key is given; else None."""
        exchange = find_current()
        if exchange is None or has_key(exchange, session_key):
            return exchange
        self.in_consumer = _serves_consumer(exchange, session_key)
        if not self.in_consumer:
            return None
        exchange.serve_framework(gateway().settings)
        return exchange

    def _open(self, session_key: str | None) -> Exchange:
        """Return an exchange for a session outside of any request."""
        if session_key is not None and may_be_asked_by_old_channels():
            # This may be the value of a visitor's cookie, and must not open the session with this key.
            raise ImproperlyConfigured(
                "sessionkit needs Channels 4.2 or later: before, its SessionMiddleware does not say for which connection it asks"
            )
        settings = gateway().settings
        wrapper = find_channels_wrapper()
        if wrapper is not None:
            # There is no gateway of ours around Channels. It can read the session, but must not put a key into its cookie.
            wrapper.cookie_response_message_types = ()
            found = find_or_open_exchange(ASGIRequest(wrapper.scope), settings)
            if found is None:  # an excluded path
                return Exchange(settings, HeaderRequest(), owned=False)
            exchange = found
        elif settings.backend is None:
            _warn_of_token(session_key)
            return Exchange(settings, HeaderRequest(), owned=False)
        else:
            _warn_of_token(session_key)
            exchange = SessionKeys(settings).open(session_key)
            self.given_key = session_key
            self.is_apart = True
        exchange.loader = make_loader(exchange)
        return exchange


def _warn_of_token(session_key: str | None) -> None:
    if session_key is not None and len(session_key) > 40:  # no key is longer
        warnings.warn(
            "SessionStore was given the value of a session's cookie, which finds nothing: it takes a session key. In tests use "
            "the session of a test client (client.session, or that of sessionkit_django.testing.Client); around Channels put "
            "sessionkit_django.asgi(...)",
            stacklevel=4,
        )


def _serves_consumer(exchange: Exchange, session_key: str | None) -> bool:
    """Return whether Channels asks for the session of its connection. It passes the value of one cookie, or None.

    In a request that Django serves, our middleware watches the exchange, and SessionStore() is a session of its own.
    """
    request = exchange.request
    if not isinstance(request, ASGIRequest) or exchange.fill is not Session:
        return False
    name = project.SESSION_COOKIE_NAME
    if session_key is None and not is_channels_asking():
        # A consumer makes its own session.
        return False
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
