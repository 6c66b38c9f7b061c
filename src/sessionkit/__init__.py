"""Encrypted sessions for any Python web application.

    from sessionkit import SessionStore, create_session, delete_session, get_session, update_session

    store = SessionStore.from_env()         # SESSIONKIT_SECRET: python -m sessionkit secret
    app = store.wsgi(app)                   # or store.asgi(app), or the adapter of a framework

    create_session({"user": {"sub": "ada"}})    # sign in
    get_session()                               # the session, or None if nobody is signed in
    update_session({**get_session(), "n": 1})   # change it
    delete_session()                            # sign out

These functions act on the request that is being served. `SessionStore` has the settings; `Lifetime` and `CookieSettings` are
two groups of settings. `sessionkit.backends` keeps sessions on the server, `sessionkit.testing` makes cookies for tests, and
`sessionkit.formats` reads the cookies of other libraries. Names with an underscore are internal.
"""

from ._cookies.settings import CookieSettings
from ._crypto.keyring import KeyRing
from ._crypto.sealed_values import Sealer
from ._default import (
    configure,
    create_session,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    save_session,
    session_of,
    touch_session,
    update_session,
)
from ._exchange.exchange import Exchange
from ._exchange.request import RequestInfo, is_activity
from ._frameworks.return_to import safe_return_to
from ._management.listing import SessionInfo
from ._model_verbs import contents_of
from ._requests.current import bind
from ._session.events import Event, EventKind, Ignored
from ._session.identity import anyone, has_user, subject
from ._session.json import JSON, Serializer, fast_json
from ._session.lifetime import Lifetime
from ._session.session import Absence, Contents, Session, Stamp
from .errors import (
    BackendError,
    ConfigurationError,
    ConflictError,
    IdentityChangedError,
    NoActiveRequestError,
    ResponseStartedError,
    SerializationError,
    SessionKitError,
    SessionTooLargeError,
)
from .formats import Native
from .store import SessionStore

__all__ = [
    "JSON", "Absence", "BackendError", "ConfigurationError", "ConflictError", "Contents", "CookieSettings", "Event", "EventKind",
    "Exchange", "IdentityChangedError", "Ignored", "KeyRing", "Lifetime", "Native", "NoActiveRequestError", "RequestInfo",
    "ResponseStartedError", "Sealer", "SerializationError", "Serializer", "Session", "SessionInfo", "SessionKitError",
    "SessionStore", "SessionTooLargeError", "Stamp", "anyone", "bind", "configure", "contents_of", "create_session",
    "delete_session", "fast_json", "get_exchange", "get_session", "has_user", "is_activity", "rotate_session", "safe_return_to",
    "save_session", "session_of", "subject", "touch_session", "update_session",
]  # fmt: skip
