"""The session store: settings in, verbs and gateways out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NoReturn

from . import asgi, wsgi
from ._arguments import (
    check_backend,
    check_function,
    check_importers,
    check_login_keys,
    check_type,
    explain_misplaced,
    refuse_django_default,
    warn,
)
from ._cookies.settings import CookieSettings
from ._crypto.keyring import KeyRing
from ._crypto.sealed_values import Sealer
from ._environment import apply_variables
from ._exchange.bound_importers import bind_importers
from ._exchange.exchange import Exchange
from ._exchange.framework_keys import FrameworkKeys
from ._exchange.request import RequestInfo, is_activity
from ._exchange.settings import MAX_RECORD, Clock, Settings
from ._requests.activation import Activation
from ._requests.current import find_preserved, get_current
from ._requests.gateway_arguments import check_not_none
from ._requests.lookup import (
    Exclusion,
    find_exchange,
    find_open,
    iterate_outward,
    open_unanswered,
    select_store,
)
from ._requests.recognition import make_header_request
from ._server_verbs import ServerVerbs
from ._session.events import OnEvent
from ._session.identity import Guard, Identity, resolve
from ._session.json import JSON, Serializer
from ._session.lifetime import Lifetime, check_lifetimes
from ._session.tracebacks import clears_frames
from .backends import AnyBackend
from .errors import ConfigurationError, NoActiveRequestError
from .formats import Format, Importer, Native
from .formats.importer import check_format

__all__ = ["SessionStore"]

NO_LIFETIMES: Mapping[str, Lifetime] = MappingProxyType({})


class SessionStore(ServerVerbs):
    """Encrypted sessions in cookies: a store holds the settings, and offers the verbs and the two gateways.

    Args:
        secret: one secret or several, each at least 32 random bytes (`python -m sessionkit secret`). The first
            seals, all open.
        lifetime: when sessions end.
        lifetimes: named lifetimes for some sessions. With `lifetimes={"remembered": Lifetime(...)}`,
            `create_session(session, lifetime="remembered")` begins a session with this lifetime. The session stores the
            name, and the current settings of that name are enforced; if the store no longer has the name, the session has
            expired. A name is a letter and then letters, digits, `-` or `_`, 20 characters at most. Only the native format
            stores names.
        cookie: how cookies are set.
        backend: where the sessions of signed-in users are kept on the server (`sessionkit.backends`); None keeps every session
            in cookies. Anonymous sessions stay in a cookie, unless the guard is `anyone`.
        max_record: with a backend: the most bytes of contents in one session.
        max_sessions: with a backend: the most sessions of one user. A login beyond this number ends the user's oldest
            session. None for no limit.
        format: how a session becomes a token.
        audience: the name of a tenant or stage. A token of one audience cannot be opened for another.
        accept: importers: other cookies from which a session is imported if the request has no cookie of this store.
        guard: a plain function of a session's contents, which returns whether it belongs to a signed-in user. None means the
            format's guard, else `has_user`.
        identity: a plain function that returns who that user is. None means the format's identity, else `subject`.
        login_keys: top-level keys that count as a signed-in user besides `user` (`("user_id",)`). They and the framework's
            own login keys affect only the default guard and the default identity, not a guard or an identity that you pass.
        renews: returns whether a request counts as activity. By default prefetches and OPTIONS do not.
        serializer: the JSON library. `fast_json()` is a faster one; it needs the extra `speed`.
        on_event: called with an `Event` when something was refused, ignored or dropped.
        clock: returns the seconds since the epoch.

    Raises:
        ConfigurationError: a setting cannot work; the message says which rule it breaks and how to correct it.
        TypeError: there is no argument of this name; the message says where the setting belongs.
    """

    __slots__ = ("settings",)

    @clears_frames
    @explain_misplaced
    def __init__(
        self,
        secret: str | bytes | Sequence[str | bytes],
        *,
        lifetime: Lifetime | None = None,
        lifetimes: Mapping[str, Lifetime] = NO_LIFETIMES,
        cookie: CookieSettings | None = None,
        format: Format | None = None,
        audience: str = "",
        backend: AnyBackend | None = None,
        max_record: int = MAX_RECORD,
        max_sessions: int | None = None,
        accept: Sequence[Importer] = (),
        guard: Guard | None = None,
        identity: Identity | None = None,
        login_keys: Sequence[str] = (),
        renews: Callable[[RequestInfo], bool] = is_activity,
        serializer: Serializer = JSON,
        on_event: OnEvent | None = None,
        clock: Clock = time.time,
    ) -> None:
        lifetime = Lifetime() if lifetime is None else lifetime
        cookie = CookieSettings() if cookie is None else cookie
        format = Native() if format is None else format
        check_type("lifetime", lifetime, Lifetime)
        check_type("cookie", cookie, CookieSettings)
        check_type("audience", audience, str)
        check_type("serializer", serializer, Serializer)
        check_format(format)
        check_importers(accept)
        check_function("renews", renews)
        check_function("clock", clock)
        for key, function in {"guard": guard, "identity": identity, "on_event": on_event}.items():
            if function is not None:
                check_function(key, function)
        check_backend(backend, max_record, max_sessions)
        named = check_lifetimes(lifetimes, transient=cookie.transient)
        if named and not format.traits.lifetimes:
            raise ConfigurationError(
                f"{format.traits.title} tokens cannot carry the name of a lifetime: lifetimes= needs the native format"
            )
        if lifetime.transient is not None:
            cookie = replace(cookie, transient=lifetime.transient)
        if format.traits.read_only:
            raise ConfigurationError(
                f"{format.traits.title} sessions can only be imported: give accept=[Importer({format!r}, until=...)]"
            )
        if backend is not None and not format.traits.pointers:
            raise ConfigurationError(
                f"{format.traits.title} shares its cookie with other software, which does not understand a pointer to a record: "
                "a backend needs the native format. Sessions of the other can be imported: accept=[Importer(...)]"
            )
        login_keys = check_login_keys(login_keys)
        name = cookie.name or format.cookie_name(host_only=cookie.host_only, secure=cookie.secure)
        traits = format.traits
        priority = traits.priority if cookie.priority == "auto" else cookie.priority
        judges = resolve((guard, identity), (traits.guard, traits.identity), login_keys)
        keys, ring = format.keys(secret), KeyRing.shared(secret)
        importers = [(one, *_importer_keys(one, secret, ring)) for one in accept]
        if cookie.secure:
            refuse_django_default(secret)
            for one in accept:
                refuse_django_default(one.secret)
        settings = Settings(
            lifetime=lifetime,
            lifetimes=named,
            cookie=replace(cookie, name=name, priority=priority),
            format=format,
            serializer=serializer,
            audience=audience,
            keys=keys,
            ring=ring,
            overrides=(guard, identity),
            guard=judges[0],
            identity=judges[1],
            login_keys=login_keys,
            renews=renews,
            on_event=on_event,
            clock=clock,
            backend=backend,
            max_record=max_record,
            max_sessions=max_sessions,
        )
        self.settings: Settings = bind_importers(settings.derive(), importers)
        warn(self.settings)

    @classmethod
    @clears_frames
    def from_env(cls, environ: Mapping[str, str] | None = None, **settings: Any) -> SessionStore:
        """Make a store from the `SESSIONKIT_*` variables.

        Args:
            environ: the variables; None means those of the process.
            **settings: arguments of `SessionStore`, which win over the variables. Of `lifetime` and `cookie`, only the
                fields that you pass win: with `lifetime=Lifetime(absolute=3600)`, `SESSIONKIT_IDLE` still applies.

        Raises:
            ConfigurationError: a variable is unknown or cannot work (the message names it), or `SESSIONKIT_SECRET` is
                missing.
        """
        if isinstance(environ, (str, bytes)):
            raise TypeError(
                "from_env takes a mapping of variables, or nothing for those of the process: give a secret to "
                "SessionStore(secret)"
            )

        def make(values: dict[str, Any]) -> SessionStore:
            if "secret" not in values:
                raise ConfigurationError(
                    "SESSIONKIT_SECRET is not set: `python -m sessionkit secret` makes one"
                )
            return cls(**values)

        return apply_variables(make, os.environ if environ is None else environ, settings)

    @clears_frames
    def for_audience(self, audience: str) -> SessionStore:
        """Return a store with the same settings and secrets for another tenant or stage. Neither store opens the other's tokens.

        Args:
            audience: ASCII without NUL; it becomes part of every key.

        Raises:
            ConfigurationError: the audience cannot be part of a key.
        """
        check_type("audience", audience, str)
        made = object.__new__(SessionStore)
        made.settings = self.settings.with_changes(audience=audience)
        return made

    def for_framework(self, keys: FrameworkKeys) -> SessionStore:
        """Return the same store for use in an adapter: the framework's login keys count as a signed-in user too.

        Args:
            keys: the keys of the framework's own session object.
        """
        made = object.__new__(SessionStore)
        made.settings = self.settings.with_framework(keys)
        return made

    @clears_frames
    def sealer(self, purpose: str) -> Sealer:
        """Return a sealer of small values under the store's keys: links in mails, cookies of your own, CSRF tokens.

        `store.sealer("password-reset").seal({"user": 7}, max_age=3600)` returns a text, and `open(text)` returns the value
        or None. Make each sealer once, when the application starts.

        Args:
            purpose: names the use, such as `password-reset`: printable ASCII. A value of another purpose does not open.

        Raises:
            ConfigurationError: the purpose is not printable ASCII, is empty, or is too long.
        """
        settings = self.settings
        return Sealer(
            settings.ring, purpose, settings.audience, settings.serializer, settings.clock
        )

    @clears_frames
    def wsgi(self, app: Any, *, exclude: str | Iterable[str] = ()) -> wsgi.SessionMiddleware:
        """Wrap a WSGI application (PEP 3333), so that its requests have sessions.

        Args:
            app: the application.
            exclude: globs of paths without sessions; `*` matches a slash too.

        Raises:
            TypeError: None, a secret or a store stands in the place of the application.
        """
        check_not_none(app, "store.wsgi(app)")
        return wsgi.SessionMiddleware(app, self, exclude=exclude)

    @clears_frames
    def asgi(
        self, app: Any, *, exclude: str | Iterable[str] = (), origins: Iterable[str] | None = None
    ) -> asgi.SessionMiddleware:
        """Wrap an ASGI application, so that its requests and websockets have sessions.

        Args:
            app: the application.
            exclude: globs of paths without sessions; `*` matches a slash too.
            origins: the values of `Origin` from which websockets are accepted, on excluded paths too; None accepts all.

        Raises:
            TypeError: None, a secret or a store stands in the place of the application.
        """
        check_not_none(app, "store.asgi(app)")
        return asgi.SessionMiddleware(app, self, exclude=exclude, origins=origins)

    def begin(self, request: RequestInfo, *, owned: bool = True) -> Exchange:
        """Return an exchange for a request; nothing is decrypted until a verb asks for the session.

        Args:
            request: the view of the request.
            owned: whether the caller will write the result of `commit` into the response.
        """
        return Exchange(self.settings, request, owned=owned)

    @clears_frames
    def exchange(
        self, cookie_header: str | Mapping[str, str] | None = None, **request: Any
    ) -> Activation:
        """Open a request that consists of a Cookie header alone: for scripts, jobs and tests.

        In the `with` block it is the current request. At the end of the block it is committed (as a 500 if the block
        raises), and `exchange.response_headers` has the headers that a response would have. With an async backend, use
        `async with`.

        Args:
            cookie_header: the header as a browser sends it, or a dict of cookies, such as
                `sessionkit.testing.session_cookies` returns. None means no cookie.
            **request: `method`, `path`, `query`, `scheme` (https by default) and `headers`, a dict. Without `cookie_header`,
                the Cookie header is taken from `headers`.

        Returns:
            A context manager, for `with` and `async with`, that gives the `Exchange`.

        Raises:
            TypeError: `cookie_header` is bytes, an environ, a scope or a request; or there is no argument of this name.
            ConfigurationError: on entry: `with` was used with an async backend, or `async with` with a blocking one.
            BackendError: at the end: the session could not be saved.
        """
        return Activation(self.begin(make_header_request(cookie_header, request)))

    def _exchange(self, request: RequestInfo | None) -> Exchange | Exclusion:
        if request is None:
            request = find_preserved()
        if request is not None:
            return find_exchange(request, self.settings) or open_unanswered(request, self.settings)
        one = find_open(select_store(iterate_outward(get_current()), self.settings))
        if one is None or not one.settings.same_store(self.settings):
            raise NoActiveRequestError(
                f"the current request is served by another store than that of the cookie {self.settings.name!r}: call the verb of "
                "that store, or serve the request with this one too"
            )
        return one

    def __repr__(self) -> str:
        return f"<SessionStore {self.settings.name!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a SessionStore holds keys and does not pickle: build it where it is needed"
        )

    def __copy__(self) -> SessionStore:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SessionStore:
        return self


def _importer_keys(
    importer: Importer, secret: str | bytes | Sequence[str | bytes], ring: KeyRing
) -> tuple[Any, KeyRing]:
    """Return an importer's keys, and the key ring of its barrier: the store's ring if the importer's secrets have names."""
    own = secret if importer.secret is None else importer.secret
    return importer.format.keys(own), ring if isinstance(own, Mapping) else KeyRing.shared(own)
