"""What frameworks share: the sessions and settings of Flask and Quart, and dotted settings as configuration files have them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from .._cookies.settings import CookieSettings
from .._exchange.exchange import OPEN, Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._exchange.request import RequestInfo
from .._requests.current import get_held, restore_current, set_current
from .._requests.gateway import Gateway, check_app, check_store
from .._requests.lookup import find_exchange, iterate_held
from .._requests.responses import write_response
from .._session.events import EventKind, logger, tell
from .._session.lifetime import FOUR_HUNDRED_DAYS, Lifetime
from .._session.tags import Tags
from .._session.tracebacks import clears_frames
from ..store import SessionStore
from .contents import LazyContents, find_or_open_exchange, open_read_only

__all__ = [
    "ENTRY",
    "FLASHES",
    "KEYS",
    "NAMES",
    "App",
    "Extension",
    "FlaskFamilyGateway",
    "FlaskFamilySession",
    "enter_context",
    "leave_context",
    "make_tags",
    "open_context_exchange",
    "save_session",
    "store_from_config",
    "values_of",
]

App = TypeVar("App")


KEYS = FrameworkKeys(
    login=("_user_id",),  # Flask-Login
    transient=lambda contents: not contents["_permanent"] if "_permanent" in contents else None,
)
"""What is to be known of the sessions of Flask and Quart."""


NAMES = (
    "SECRET_KEY",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_PATH",
    "APPLICATION_ROOT",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PARTITIONED",
    "PERMANENT_SESSION_LIFETIME",
    "SESSION_REFRESH_EACH_REQUEST",
)


FLASHES = "_flashes"


ENTRY = "sessionkit.entry"


def values_of(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values from which a store is made, to see whether they have changed: these frameworks read them at each request."""
    return (*map(config.get, NAMES), *(config.get("SECRET_KEY_FALLBACKS") or ()))


def _asked(app: Any) -> tuple[Any, ...]:
    """As `values_of`, and what these frameworks ask of the application itself, where a class of one's own may say it."""
    return (
        *values_of(app.config),
        getattr(app, "secret_key", None),
        getattr(app, "permanent_session_lifetime", None),
    )


def _config_of(app: Any) -> Mapping[str, Any]:
    """The configuration, with what these frameworks ask of the application itself."""
    asked = {
        name: getattr(app, name.lower())
        for name in ("SECRET_KEY", "PERMANENT_SESSION_LIFETIME")
        if hasattr(app, name.lower())
    }
    return {**app.config, **asked}


def make_tags(serializer: Any, json: Any) -> Tags:
    """The tags of a `TaggedJSONSerializer`, by which Flask keeps tuples, bytes, UUIDs, dates and markup in its own session.

    What those do not know (a date without a time, a Decimal) is a text on the next request, as there: what the
    application's JSON makes of it.

    Args:
        serializer: the `TaggedJSONSerializer`; the key of each tag in it begins with a blank.
        json: `flask.json` or `quart.json`.
    """

    def tag(value: Any) -> Any:
        return _leaves(serializer.tag(value), lambda leaf: json.loads(json.dumps(leaf)))

    def untag(value: Any) -> Any:
        if isinstance(value, dict):
            members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
            return serializer.untag({key: untag(item) for key, item in members.items()})
        if isinstance(value, list):
            items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
            return [untag(item) for item in items]
        return value

    return Tags(tag=tag, untag=untag)


def _leaves(value: Any, written: Callable[[Any], Any]) -> Any:
    """Tagged JSON, with what is none in it as it is written."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        members: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
        return {key: _leaves(item, written) for key, item in members.items()}
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
        return [_leaves(item, written) for item in items]
    return written(value)


class FlaskFamilySession(LazyContents):
    """What `session` is in Flask and Quart, for a class that mixes their `SessionMixin` in."""

    @property
    def accessed(self) -> bool:
        """Whether it was looked at; Flask sets it whenever it hands the session out."""
        return self.exchange.looked_at

    @accessed.setter
    def accessed(self, value: bool) -> None: ...

    @property
    def modified(self) -> bool:
        """Whether it differs from what came, nested values included; to set it is allowed and not needed."""
        return self.exchange.changed

    @modified.setter
    def modified(self, value: bool) -> None: ...

    def __getitem__(self, key: str) -> Any:
        """The value; flashed messages as the tuples that the framework puts in, whatever application of the store wrote them."""
        value = super().__getitem__(key)
        return [tuple(cast("Iterable[str]", one)) for one in value] if key == FLASHES else value

    def __delitem__(self, key: str) -> None:
        # Tests read flashed messages when the request is over, in the context that a test client preserves for them.
        if key == FLASHES and self._is_only_looked_at():
            return
        super().__delitem__(key)

    def _is_only_looked_at(self) -> bool:
        """Whether the response has gone out, and the caller is not among those who serve the request: nothing can be lost."""
        exchange = self.exchange
        return exchange.phase is not OPEN and exchange not in iterate_held(get_held())


class Extension(ABC, Generic[App]):
    """What `SessionKit` is where that is the habit of a framework: made with an application, or without one and given some by `init_app`.

    Args:
        app: the application.
        store: the store; without one it is made from the framework's own settings.
        **settings: of `SessionStore`, instead of what those say.

    Raises:
        TypeError: a store stands in the application's place, or something else in the store's.
    """

    call = "SessionKit(app, store=store)"
    tags: Tags | None = None
    """How the framework's own session keeps values that JSON has not."""

    @clears_frames
    def __init__(
        self, app: App | None = None, *, store: SessionStore | None = None, **settings: Any
    ) -> None:
        if store is not None:
            check_store(store, self.call)
        self.store = store
        self.settings = settings
        if app is not None:
            check_app(app, self.call)
            self.init_app(app)

    @abstractmethod
    def init_app(self, app: App) -> None:
        """Serve an application; one object can serve several."""


class FlaskFamilyGateway:
    """What stands in front of an application of Flask or Quart: a gateway, made anew when the application's settings change.

    They are read at each request. While there is no secret key the application is served as it is.

    Args:
        app: the application; its `extensions["sessionkit"]` is this.
        inner: what it is served by.
        kind: `SessionMiddleware`, of WSGI or of ASGI.
        kit: whose store and settings these are; without a store it is made from the application's.
    """

    def __init__(
        self, app: Any, inner: Callable[..., Any], kind: Callable[..., Gateway], kit: Extension[Any]
    ) -> None:
        self._app, self._inner, self._kind, self._kit = app, inner, kind, kit
        self._made: tuple[object, Any] = (None, None)
        app.extensions["sessionkit"] = self

    @property
    def current(self) -> Any:
        """The gateway; None while there is no secret key."""
        given = self._kit.store
        now = (given,) if given is not None else _asked(self._app)
        before, gateway = self._made
        if now != before:
            try:
                store = given or store_from_config(
                    _config_of(self._app),
                    self._kit.settings,
                    for_development=self._app.debug or self._app.testing,
                )
            except BaseException:
                del (
                    now
                )  # the secret key is in it, and a traceback shows the variables of this frame
                raise
            gateway = (
                None
                if store is None
                else self._kind(self._inner, store, framework=replace(KEYS, tags=self._kit.tags))
            )
            self._made = now, gateway
        return gateway

    def __call__(self, *request: Any) -> Any:
        """Serve a request: what WSGI or ASGI calls it with."""
        try:
            return (self.current or self._inner)(*request)
        except BaseException:
            del request  # the cookies are in it, and a traceback shows the variables of this frame
            raise


def open_context_exchange(
    app: Any, request: RequestInfo, *, of_socket: bool = False
) -> Exchange | None:
    """The exchange that `open_session` shows; nothing is decrypted yet.

    Args:
        app: an application behind a `FlaskFamilyGateway`.
        request: the view of the request.
        of_socket: whether it may be an event of a socket, which carries the environ of its handshake. What no gateway
            answers is one, and its session is read only.

    Returns:
        None on an excluded path, and while there is no secret key.
    """
    gateway = app.extensions["sessionkit"].current
    if gateway is None:
        return None
    if of_socket and find_exchange(request, gateway.settings) is None:
        return open_read_only(request, gateway.settings)
    return find_or_open_exchange(request, gateway.settings)


def enter_context(exchange: Exchange, request: object) -> None:
    """Make the exchange of a request context current that no gateway answers, which may have been pushed inside another visitor's request.

    Args:
        exchange: what `exchange_in` returned.
        request: the framework's, which keeps what was current.
    """
    if not exchange.owned and not hasattr(request, ENTRY):
        setattr(request, ENTRY, (exchange, get_held()))
        set_current(exchange)


def leave_context(request: object) -> None:
    """Undo `enter` at the end of a request context.

    Args:
        request: the framework's.
    """
    entry = getattr(request, ENTRY, None)
    if entry is not None:
        restore_current(*entry)


@clears_frames
def save_session(session: object, response: Any) -> None:
    """What `save_session` does: write the response where no gateway does (`session_transaction()`); else see that the session can be kept.

    Where the response has gone out already (an event of Flask-SocketIO), a change is lost, and told.

    Args:
        session: a `FlaskFamilySession`.
        response: the framework's.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: it cannot be kept; the application's error handlers answer that.
    """
    exchange = cast("FlaskFamilySession", session).exchange
    if exchange.phase is not OPEN:
        if exchange.changed:
            tell(exchange.settings.on_event, EventKind.UNANSWERED)
    elif not exchange.owned:
        write_response(exchange, response)
    elif response.status_code < 500:  # what fails is rolled back
        exchange.answer(response.status_code, list(response.headers.items()))


@clears_frames
def store_from_config(
    config: Mapping[str, Any], settings: Mapping[str, Any], *, for_development: bool
) -> SessionStore | None:
    """A store from the settings of an application.

    A session that does not say so itself is forgotten when the browser closes, as these frameworks have it. With
    `SESSION_REFRESH_EACH_REQUEST` (their default) `PERMANENT_SESSION_LIFETIME` is how long a session may be idle, and
    it ends for good after 400 days, since no browser keeps a cookie longer; without, it is how long a session lives.

    Args:
        config: the application's.
        settings: of `SessionStore`, instead of what `config` says.
        for_development: whether a cookie that is not Secure deserves no warning.

    Returns:
        None while there is no secret.
    """
    secrets: Any = settings.get("secret") or [
        key
        for key in (config.get("SECRET_KEY"), *(config.get("SECRET_KEY_FALLBACKS") or ()))
        if key
    ]
    if not secrets:
        return None
    permanent = config["PERMANENT_SESSION_LIFETIME"]
    seconds = int(permanent.total_seconds()) if isinstance(permanent, timedelta) else permanent
    rolling = config["SESSION_REFRESH_EACH_REQUEST"]
    lifetime = (
        Lifetime(idle=seconds, absolute=max(seconds, FOUR_HUNDRED_DAYS))
        if rolling
        else Lifetime(rolling=False, absolute=seconds)
    )
    name = config["SESSION_COOKIE_NAME"]
    cookie = CookieSettings(
        name=None
        if name == "session"
        else name,  # then it is __Host-session where a browser takes it
        path=config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"],
        domain=config["SESSION_COOKIE_DOMAIN"] or None,
        secure=config["SESSION_COOKIE_SECURE"],
        http_only=config["SESSION_COOKIE_HTTPONLY"],
        same_site=config["SESSION_COOKIE_SAMESITE"] or "Lax",
        partitioned=config.get("SESSION_COOKIE_PARTITIONED", False),
        transient=True,
    )
    made: dict[str, Any] = {"secret": secrets, "lifetime": lifetime, "cookie": cookie, **settings}
    store = SessionStore(**made)
    if not (store.settings.cookie.secure or for_development):
        logger.warning(
            "SESSION_COOKIE_SECURE is not set: the session goes over plain http too, and its cookie is no __Host- cookie"
        )
    return store
