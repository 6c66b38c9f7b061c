"""The session object of frameworks that keep it in the ASGI scope, under `session` (Starlette, FastAPI, Litestar)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, cast
from weakref import ref

from typing_extensions import Unpack

from .._exchange.exchange import Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._requests.gateway_arguments import check_app
from .._session.events import EventKind
from .._session.session import Contents, Session, Stamp, Watcher
from .._session.tracebacks import clear_frames, clears_frames
from ..asgi import Place, Scope, SessionMiddleware
from ..errors import ConfigurationError, NoActiveRequestError
from ..store import SessionStore
from .contents import LazyContents
from .session_place import SESSION_KEY, SessionPlace, is_session
from .starlette_arguments import Arguments, store_from_arguments

__all__ = ["ScopePlace", "ScopeSession", "ScopeSessionMiddleware"]


class ScopePlace(SessionPlace):
    """The place of a session object in a scope.

    A mapping that the application puts there before the response starts becomes the contents of the session: when the next verb
    is called, or when the response starts. A mapping that is put there later is not saved, and is reported as `LATE_CHANGE`. The
    session object of another middleware, in an application mounted inside this one, is ignored.

    Args:
        session: the session object, which is put into the scope.
        scope: the scope of the connection.
        exchange: the exchange that the session object shows.
        contents_of: called with the object in the session object's place (or None) and the scope. It returns the contents
            for this object as a mapping, or None to leave the session as it is.
    """

    __slots__ = ("_around", "_contents_of", "_owner", "_root")

    def __init__(
        self,
        session: object,
        scope: Scope,
        exchange: Exchange,
        contents_of: Callable[[Any, Any], object],
    ) -> None:
        super().__init__(session, scope, exchange)
        self._contents_of = contents_of
        found = scope.get(SESSION_KEY)
        self._around = found if _is_foreign(found) else None
        self._owner, self._root = scope.get("app"), scope.get("root_path")
        if self._around is not None and "endpoint" not in scope:
            # This is not the scope of an application in which ours is mounted.
            exchange.settings.warn_once(EventKind.TWO_SESSIONS)
        scope[SESSION_KEY] = session

    @property
    def has_outer(self) -> bool:
        """Whether a middleware around this one had put an object there."""
        return self._around is not None

    def give_back(self) -> None:
        """Restore the session object of the middleware around this one, which reads that object when the response starts.

        If it found our contents there, it would write them into its own cookie, which visitors can read.
        """
        self._holder[SESSION_KEY] = self._around

    def take_back(self) -> None:
        """Restore our own session object, for code that runs after the start of the response."""
        self._holder[SESSION_KEY] = self._session

    def _find_contents(self) -> Mapping[str, Any] | None:
        """Return the contents in the place, and put the session object back; None where there is nothing to take over."""
        found = self._holder.get(SESSION_KEY)
        if self.has_outer and found is self._around:
            # The outer object was put back, and a gateway around its middleware is about to respond.
            return None
        if is_session(found):
            if _is_foreign(found) and not self._is_in_mounted():
                self._exchange.settings.warn_once(EventKind.TWO_SESSIONS)
            return None
        contents = self._contents_of(found, self._holder)
        # If the application deleted the key, it is set again, so that code after the start of the response finds the
        # session. And a middleware around this one recognises our session, and ignores it.
        self.take_back()
        if contents is None or isinstance(contents, Mapping):
            return cast("Mapping[str, Any] | None", contents)
        raise TypeError(
            f'scope["session"] was replaced by {type(found).__name__}: put a dict there, or change request.session in place'
        )

    def _read(self, found: object) -> Mapping[str, Any] | None:
        """Return the contents for the last taken-over object, as it is now."""
        contents = None if found is None else self._contents_of(found, self._holder)
        return cast("Mapping[str, Any] | None", contents)

    def _is_in_mounted(self) -> bool:
        """Return whether the scope now belongs to an application that is mounted inside the one around this middleware."""
        if self._owner is not None:
            return self._holder.get("app") is not self._owner
        # Only this middleware is around the application, so only the path where it is mounted tells the two apart.
        return self._holder.get("root_path") != self._root


def _is_foreign(found: object) -> bool:
    """Return whether an object is the session of another library's middleware."""
    return isinstance(found, dict) and not isinstance(found, (Contents, LazyContents))


class ScopeSession(Session):
    """The live session itself, anonymous ones included: a dict whose nested changes are saved.

    The dict is put into the scope before the session is decrypted. It is filled when it is first used.
    """

    __slots__ = ("_exchange",)

    _exchange: ref[
        Exchange
    ]  # weak, because the exchange refers to this object, and a reference cycle would keep the session of every request

    @classmethod
    def of(cls, exchange: Exchange) -> Contents:
        """Return the session object of an exchange, always the same one."""
        if exchange.state is not None:
            return exchange.contents
        known = getattr(exchange.fill, "__self__", None)
        if isinstance(known, ScopeSession):
            return known
        made = _Unread()
        made._exchange = ref(exchange)  # noqa: SLF001  # of a subclass
        _raw.update(made, _NOT_READ)
        exchange.fill = made.filled
        return made

    def filled(
        self, contents: Mapping[str, Any], /, *, stamp: Stamp | None, watcher: Watcher
    ) -> Session:
        """Become the live session. The exchange calls this when it is first read."""
        itself: Any = self
        # From here on no method needs to check whether the session was read.
        itself.__class__ = ScopeSession
        _raw.clear(self)
        Session.__init__(self, contents, stamp=stamp, watcher=watcher)
        return self

    def mark_accessed(self) -> None:
        """Read the session, and check that it has not expired. Starlette calls this whenever `request.session` is used.

        Raises:
            NoActiveRequestError: the request ended before the session was read.
        """
        exchange = self._exchange()
        if exchange is not None:
            exchange.contents  # noqa: B018  # reads it
        elif isinstance(self, _Unread):
            raise NoActiveRequestError(
                "the request this session belonged to has finished, and nobody had read it before: read it while the request is "
                "served, and pass on dict(session)"
            )

    def mark_modified(self) -> None:
        """Do nothing: sessionkit notices changes without this call."""

    @property
    def accessed(self) -> bool:
        """Whether the request used the session."""
        exchange = self._exchange()
        return exchange is not None and exchange.looked_at

    @property
    def modified(self) -> bool:
        """Whether the session differs from the one that was loaded, nested values included."""
        exchange = self._exchange()
        return exchange is not None and exchange.changed


class SessionNotRead:
    """The only key of a session that has not been read yet, so that an encoder written in C does not write it as an empty object.

    json finds that the session is not empty, calls its `items`, and so reads the session. An encoder that reads the entries of
    a dict without calling a method (orjson, msgspec) refuses this key, and its error names this class. Pass
    `request.session` or `dict(session)` to such an encoder.
    """

    __slots__ = ()

    def __str__(self) -> str:
        raise TypeError(
            "the session has not been read yet: hand out request.session, or dict(session), instead of scope['session']"
        )

    def __repr__(self) -> str:
        return "<the session has not been read yet>"


_raw: Any = dict  # the methods of dict do not read the session
_NOT_READ: Any = {SessionNotRead(): SessionNotRead()}
# From here on no other dict accepts this key: only `dict.update` from `_NOT_READ` itself copies it without calling `__hash__`.
SessionNotRead.__hash__ = SessionNotRead.__str__  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # both raise


class _Unread(ScopeSession):
    """A session that has not been used yet. Any method first turns it into a `ScopeSession`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Session, not read yet>"

    @property
    def stamp(self) -> Stamp:
        """Read the session, and return its id and times."""
        self.mark_accessed()
        # The object is no longer an `_Unread`, so `super()` would refuse it.
        return cast("Stamp", cast("Any", Session.stamp).fget(self))


def _read_first(name: str) -> Callable[..., Any]:
    method = getattr(Session, name)

    @wraps(method)
    def call(self: _Unread, *args: Any, **named: Any) -> Any:
        try:
            self.mark_accessed()
            return method(self, *args, **named)
        except BaseException as error:
            del self, args, named
            clear_frames(error)
            raise

    return call


for _name in (
    "__contains__", "__delitem__", "__eq__", "__getitem__", "__ior__", "__iter__", "__len__", "__ne__", "__or__", "__reduce__",
    "__reversed__", "__ror__", "__setitem__", "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
):  # fmt: skip
    setattr(_Unread, _name, _read_first(_name))
del _name


class ScopeSessionMiddleware(SessionMiddleware):
    """Sessions for an application with `request.session`: `app.add_middleware(SessionMiddleware, store=store)`.

    Args:
        app: the application.
        store: the store; without one, a store is made from `arguments`.
        exclude: globs of paths that have no session (`/static/*`).
        origins: the values of `Origin` from which websockets are accepted, on excluded paths too; None accepts all.
        **arguments: the arguments of Starlette's own session middleware (`secret_key`, `session_cookie`, `max_age`, `path`,
            `same_site`, `https_only`, `domain`, `partitioned`), and any of `SessionStore`.

    Raises:
        ConfigurationError: neither a store nor a secret key is given, or a store and other arguments.
        TypeError: the argument for the store is not a store, or a store was passed as the application.
    """

    call = "app.add_middleware(SessionMiddleware, store=store)"

    @clears_frames
    def __init__(
        self,
        app: Any,
        store: SessionStore | None = None,
        *,
        exclude: str | Iterable[str] = (),
        origins: Iterable[str] | None = None,
        **arguments: Unpack[Arguments],
    ) -> None:
        check_app(app, self.call)
        if store is None and not arguments.get("secret_key"):
            raise ConfigurationError(
                "SessionMiddleware needs store=SessionStore(...) or secret_key=... (`python -m sessionkit secret`)"
            )
        if store is not None and arguments:
            raise ConfigurationError(
                f"SessionMiddleware has a store: {', '.join(arguments)} belong to SessionStore(...)"
            )
        super().__init__(
            app,
            store or store_from_arguments(**cast("dict[str, Any]", arguments)),
            exclude=exclude,
            origins=origins,
            framework=FrameworkKeys(),
        )
        self.show: Callable[[Exchange, Scope], Place] | None = _show


def _show(exchange: Exchange, scope: Scope) -> Place:
    return ScopePlace(ScopeSession.of(exchange), scope, exchange, _contents_of)


def _contents_of(found: object, scope: Scope) -> object:
    """Return the object that an application has assigned in the place of the session: {} for an assigned None, None if nothing is there."""
    return {} if found is None and SESSION_KEY in scope else found
