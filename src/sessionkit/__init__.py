"""Encrypted sessions for any Python web application."""

from .context import bind
from .cookies import CookieSettings
from .default import (
    configure,
    create_session,
    delete_session,
    get_session,
    rotate_session,
    touch_session,
    update_session,
)
from .errors import (
    ConfigurationError,
    IdentityChangedError,
    NoActiveRequestError,
    ResponseStartedError,
    SerializationError,
    SessionKitError,
    SessionTooLargeError,
)
from .events import Event, EventKind, Ignored
from .exchange import Exchange
from .formats import Native
from .identity import anyone, has_user, subject
from .keyring import KeyRing
from .lifetime import Lifetime
from .request import RequestInfo, is_activity
from .return_to import safe_return_to
from .serializer import JSON, Serializer, fast_json
from .session import Absence, Contents, Session, Stamp
from .store import SessionStore

__all__ = [
    "JSON", "Absence", "ConfigurationError", "Contents", "CookieSettings", "Event", "EventKind", "Exchange",
    "IdentityChangedError", "Ignored", "KeyRing", "Lifetime", "Native", "NoActiveRequestError", "RequestInfo", "ResponseStartedError",
    "SerializationError", "Serializer", "Session", "SessionKitError", "SessionStore", "SessionTooLargeError", "Stamp", "anyone", "bind",
    "configure", "create_session", "delete_session", "fast_json", "get_session", "has_user", "is_activity", "rotate_session",
    "safe_return_to", "subject", "touch_session", "update_session",
]  # fmt: skip
