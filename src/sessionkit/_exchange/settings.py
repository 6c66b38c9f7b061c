"""The settings of a store, with every default filled in and every derived value computed (`_arguments.py` checks arguments)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from string import punctuation
from typing import Any, cast
from urllib.parse import quote

from .._cookies.barrier import LABEL as BARRIER_LABEL
from .._cookies.capacity import list_possible_names, measure_single_size
from .._cookies.chunks import Layout
from .._cookies.fence import LABEL as FENCE_LABEL
from .._cookies.fence import max_age
from .._cookies.renewal import LABEL as SEEN_LABEL
from .._cookies.settings import CookieSettings, insert_label
from .._crypto.keyring import KeyRing, PurposeKeys
from .._crypto.records import RecordCodec
from .._session.events import EventKind, OnEvent, tell
from .._session.identity import Guard, Identity, has_user, resolve
from .._session.json import Serializer
from .._session.lifetime import FOUR_HUNDRED_DAYS, Lifetime
from .._session.session import Stamp
from .._session.tags import Tags
from ..backends._protocols import AnyBackend
from ..errors import ConfigurationError
from ..formats._protocols import Codec, Format, Taker
from .backend_warnings import Advice
from .drivers import BlockingDriver
from .framework_keys import FrameworkKeys
from .performing import is_async
from .request import RequestInfo

__all__ = ["MAX_RECORD", "BoundImporter", "Clock", "Settings"]

MAX_RECORD = 65_536
"""The default of `max_record`: the most bytes of contents in a record."""

Clock = Callable[[], float]


# `Settings.derive` replaces this placeholder.
_DERIVED: Any = None


@dataclass(slots=True)
class Expected:
    """The last client on this machine for which a session's cookie was set over http. Each store has one such object.

    Attributes:
        client: the client; None if no cookie is expected, as always over https.
        until: the time until which the client's next request is checked, in seconds since the epoch.
    """

    client: tuple[str, str | None] | None = None
    until: float = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """A store's settings: every default is filled in, keys are derived, names are spelled out.

    Call `derive` after the settings are made, and after a setting is replaced that others are derived from.
    """

    lifetime: Lifetime
    lifetimes: Mapping[str, Lifetime] = field(default_factory=dict[str, Lifetime])
    """The named lifetimes. Each says whether its cookies are transient."""
    cookie: CookieSettings
    format: Format
    serializer: Serializer
    audience: str
    keys: Any = field(repr=False)
    """The secrets, as the format takes them."""
    ring: KeyRing = field(repr=False)
    """The key ring of the same secrets, for the barrier."""
    overrides: tuple[Guard | None, Identity | None] = (None, None)
    """The guard and the identity that the application passed; None if the format's or the default one applies."""
    guard: Guard
    identity: Identity
    login_keys: tuple[str, ...] = ()
    """The top-level keys that count as a signed-in user, the framework's included."""
    renews: Callable[[RequestInfo], bool]
    on_event: OnEvent | None
    clock: Clock
    backend: AnyBackend | None = None
    """The backend for signed-in users' sessions; None keeps every session in cookies."""
    max_record: int = MAX_RECORD
    """The most bytes of contents in a record."""
    max_sessions: int | None = None
    """The most sessions of one user. A login beyond this number ends the oldest."""
    all_on_server: bool = False
    """Whether anonymous sessions are kept in the backend too. This is so for server code, which has no cookie."""
    framework: FrameworkKeys | None = None
    origin: Settings | None = None
    """The store's own settings, if these are a copy for a framework's own session object."""
    importers: tuple[BoundImporter, ...] = ()
    """The importers, and the earlier forms of the store's own format."""
    single_plaintext: int = 0
    """The number of bytes of plaintext that certainly fit into one cookie."""
    warned: set[EventKind] = field(default_factory=set[EventKind])
    """The events that `warn_once` has reported."""
    expected: Expected = field(default_factory=Expected)
    """The client that must return its first cookie over http."""
    advice: Advice = field(default_factory=Advice)
    """Whether the warnings of the backend have been logged. All copies of a store's settings share it."""

    # The rest is derived from the settings above. Every request reads it, so it is computed once.
    codec: Codec = _DERIVED
    barrier_keys: PurposeKeys = _DERIVED
    layout: Layout = _DERIVED
    name: str = _DERIVED
    chunk: str = _DERIVED
    """The name of a chunk without its number."""
    seen: str = _DERIVED
    """The name of the renewal cookie."""
    fence: str = _DERIVED
    """The name of the fence."""
    barrier: str = _DERIVED
    """The name of the barrier."""
    stem: str = _DERIVED
    """The text that the names of all our cookies contain."""
    single_size: int = _DERIVED
    """The number of characters of a token that certainly fit into one cookie and into `max_bytes`."""
    possible_names: tuple[str, ...] = _DERIVED
    """The names of all cookies that a session may be in, by `max_bytes`: the whole cookie, then the chunks in order."""
    largest_integer: int = _DERIVED
    """The greatest absolute value of an integer in a session."""
    tolerance: int = _DERIVED
    """The seconds for which a session is still valid after its expiry."""
    carried: tuple[str, ...] = _DERIVED
    """The members that an update cannot change."""
    owner_keys: frozenset[str] | None = _DERIVED
    """The keys that say who the user is; None if the guard or the identity may read any key."""
    contents_end: Callable[[Mapping[str, Any], int], float] | None = _DERIVED
    """A function of the contents and the time of the last activity, which returns the time at which the contents end the session."""
    tags: Tags | None = _DERIVED
    """The tags for values that JSON does not have."""
    nobody: str | None = _DERIVED
    """The error message for a session without a user; None if a session may be anonymous."""
    fence_age: int = _DERIVED
    """The Max-Age of the fence and the barrier, in seconds."""
    records: RecordCodec | None = _DERIVED
    """The codec of pointers and records; None without a backend."""
    driver: BlockingDriver | None = _DERIVED
    """Performs operations on a blocking backend; None without one."""

    def derive(self) -> Settings:
        """Return the settings with every derived value computed.

        Raises:
            ConfigurationError: the format cannot work with them.
        """
        cookie, layout, traits = self.cookie, self.format.layout, self.format.traits
        # The store has already set the name.
        name = cast("str", cookie.name)
        lifetimes = (self.lifetime, *self.lifetimes.values())
        # A cookie that can be imported at any time stays in the browser after the logout, if it was set with another Domain or
        # another program goes on using it.
        for_ever = any(
            None in {lifetime.absolute for lifetime in lifetimes}
            or not importer.settings.format.traits.dated
            for importer in self.importers
        )
        return replace(
            self,
            name=name,
            codec=self.format.codec(
                self.keys,
                name=name,
                audience=self.audience,
                lifetime=self.lifetime,
                serializer=self.serializer,
            ),
            # Formats that ignore the audience accept any text.
            barrier_keys=self.ring.purpose("before", name, quote(self.audience, safe=_PRINTABLE)),
            layout=layout,
            chunk=name + layout.separator,
            seen=insert_label(name, SEEN_LABEL),
            fence=insert_label(name, FENCE_LABEL),
            barrier=insert_label(name, BARRIER_LABEL),
            stem=insert_label(name, "\0").rpartition("\0")[2],
            single_size=measure_single_size(cookie, layout, name),
            possible_names=list_possible_names(cookie, layout, name),
            largest_integer=traits.largest_integer,
            tolerance=traits.tolerance,
            carried=traits.carried,
            owner_keys=self._list_owner_keys(),
            contents_end=None if self.framework is None else self.framework.ends,
            tags=self.serializer.tags,
            nobody=traits.nobody,
            fence_age=FOUR_HUNDRED_DAYS if for_ever else max(map(max_age, lifetimes)),
            records=(
                None
                if self.backend is None
                else RecordCodec(
                    self.ring, name, self.audience, self.lifetime.absolute, self.serializer
                )
            ),
            driver=(
                None
                if self.backend is None or is_async(self.backend)
                else BlockingDriver(self.backend)
            ),
        )

    def is_for_server(self, contents: Mapping[str, Any]) -> bool:
        """Return whether a session that begins with these contents is kept in the backend."""
        return self.records is not None and (self.all_on_server or self.guard(contents))

    def _list_owner_keys(self) -> frozenset[str] | None:
        traits = self.format.traits
        if (
            self.overrides != (None, None)
            or traits.guard is not None
            or traits.identity is not None
        ):
            return None
        noticed = () if self.framework is None else self.framework.noticed
        return frozenset(("user", *self.login_keys, *noticed))

    def with_changes(self, **changes: Any) -> Settings:
        """Return a copy of the settings with these changes, made in the importers' settings too."""
        importers = tuple(
            replace(importer, settings=importer.settings.with_changes(**changes))
            for importer in self.importers
        )
        return replace(self, importers=importers, **changes).derive()

    def with_framework(self, keys: FrameworkKeys) -> Settings:
        """Return the settings for a framework's own session object."""
        login_keys = tuple(dict.fromkeys((*self.login_keys, *keys.login)))
        traits = self.format.traits
        guard, identity = resolve(self.overrides, (traits.guard, traits.identity), login_keys)
        settings = replace(
            self,
            guard=guard,
            identity=identity,
            login_keys=login_keys,
            framework=replace(keys, login=login_keys),
            origin=self.origin or self,
        ).derive()
        if keys.tags is None or self.serializer.tags is not None:
            # A serializer with tags of its own is the application's choice.
            return settings
        return settings.with_changes(serializer=self.serializer.tagging(keys.tags))

    def names_somebody(self, contents: Mapping[str, Any]) -> bool:
        """Return whether contents name a user, for a library that treats every token as that of a signed-in user.

        They do if the format's own guard or the store's guard accepts them. A guard that accepts even an empty session does not
        count, because it cannot distinguish a user from nobody.
        """
        if (self.format.traits.guard or has_user)(contents):
            return True
        if not self.guard(contents):
            return False
        try:
            return not self.guard({})
        except Exception:  # noqa: BLE001  # the application's guard need not expect an empty session
            return True

    def with_inner_framework(self, keys: FrameworkKeys) -> Settings:
        """Return the settings for two frameworks: the one of these settings, and another one inside it."""
        return _join_frameworks(self, keys)

    def find_lifetime(self, name: str | None) -> Lifetime:
        """Return the lifetime of a name; the default one for None. A session with an unknown name has expired, and never gets here."""
        return self.lifetime if name is None else self.lifetimes[name]

    def check_lifetime(self, name: object) -> None:
        """Raise ConfigurationError for a name that is not one of the named lifetimes.

        Args:
            name: the argument `lifetime` of `create_session`; None for the default lifetime.
        """
        if name is None or (isinstance(name, str) and name in self.lifetimes):
            return
        known = ", ".join(map(repr, self.lifetimes))
        given = repr(name) if isinstance(name, str) else f"of type {type(name).__name__}"
        hint = f"it knows {known}" if known else "give SessionStore(lifetimes={...: Lifetime(...)})"
        if not self.format.traits.lifetimes:
            hint = f"tokens of {self.format.traits.title} cannot carry the name of a lifetime"
        raise ConfigurationError(
            f"create_session: lifetime= takes a name, and this store has none that is {given}: {hint}"
        )

    def for_writing(self, contents: Mapping[str, Any], stamp: Stamp | None) -> Settings:
        """Return the settings for writing a session. Its contents or its lifetime may decide whether the cookie is transient.

        Args:
            contents: the contents of the session.
            stamp: its stamp; None while there is no session.
        """
        transient = None
        if self.framework is not None and self.framework.transient is not None:
            transient = self.framework.transient(contents)
        if transient is None and stamp is not None and stamp.lifetime is not None:
            transient = self.find_lifetime(stamp.lifetime).transient
        if transient is None or transient is self.cookie.transient:
            return self
        return _replace_transient(self, transient)

    def same_store(self, other: Settings) -> bool:
        """Return whether both belong to one store, or to two stores that treat every session in the same way."""
        return self is other or not self.differences(other)

    def differences(self, other: Settings) -> tuple[str, ...]:
        """Return the names of the settings in which another store differs; never their values."""
        return _list_differences(self.origin or self, other.origin or other)

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        # Litestar copies its configuration, including the gateway. The keys must not be copied.
        return self

    def warn_once(self, kind: EventKind) -> None:
        """Report an event once in the life of the store, because it would be the same for every request."""
        if kind not in self.warned:
            self.warned.add(kind)
            tell(self.on_event, kind)


_PRINTABLE = " " + punctuation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundImporter:
    """An importer with its keys: it reads another library's cookie, or an earlier form of the store's own.

    Attributes:
        settings: the settings for reading the cookie as if it were the store's own; nothing is sealed with them.
        until: the time from which the cookie is ignored, in seconds since the epoch, or None.
        clear: whether the cookie is cleared once its session is imported.
        convert: returns the contents of our session for its contents and times, or None.
        newer: for an earlier form of another library's cookie, the importer of its present form; `convert` makes the
            contents of that form.
    """

    settings: Settings
    until: float | None
    clear: bool
    convert: Taker
    newer: BoundImporter | None = None

    def list_clearing(self, names: Iterable[str], own: Container[str]) -> list[str]:
        """Return the lines that clear the cookie, two for each name if it may have another path or domain than ours.

        Args:
            names: the names of the cookies to clear.
            own: the names of our cookies. A cookie with such a name is cleared only at another path or domain than ours.
        """
        cookie = self.settings.cookie
        elsewhere = (
            []
            if cookie.path == "/" and cookie.domain is None
            else [replace(cookie, path="/", domain=None)]
        )
        return [
            scope.clearing(name)
            for name in dict.fromkeys(names)
            for scope in (elsewhere if name in own else [cookie, *elsewhere])
        ]


@lru_cache(maxsize=64)
def _join_frameworks(settings: Settings, keys: FrameworkKeys) -> Settings:
    """Return settings with the framework keys of both. They are cached, because every request of such an application needs them."""
    outer = cast("FrameworkKeys", settings.framework)
    both = outer.join(keys)
    return settings if both == outer else settings.with_framework(both)


@lru_cache(maxsize=256)
def _list_differences(one: Settings, other: Settings) -> tuple[str, ...]:
    if one is other:
        return ()
    ours, theirs = _list_deciding(one), _list_deciding(other)
    return tuple(name for name in ours if ours[name] != theirs[name])


def _list_deciding(settings: Settings) -> dict[str, object]:
    """Return the settings that decide whether there is a session, whose it is, how large it may be, and how long it lasts."""
    guard, identity = settings.guard, settings.identity
    if settings.login_keys:
        # The guard and the identity for login keys are new functions in each store. So the original functions are compared.
        traits = settings.format.traits
        guard, identity = resolve(settings.overrides, (traits.guard, traits.identity), ())
    return {
        "secret": settings.codec.ids,
        "audience": settings.audience,
        "cookie": settings.cookie,
        "format": settings.format,
        "lifetime": settings.lifetime,
        "lifetimes": settings.lifetimes,
        "guard": guard,
        "identity": identity,
        "login_keys": settings.login_keys,
        "accept": [_list_parts(importer) for importer in settings.importers],
        "renews": settings.renews,
        "backend": settings.backend,
        "max_record": settings.max_record,
        "max_sessions": settings.max_sessions,
    }


def _list_parts(importer: BoundImporter) -> tuple[object, ...]:
    """Return the settings that decide about an importer's cookie."""
    theirs = importer.settings
    return (
        theirs.codec.ids, theirs.cookie, theirs.format, theirs.lifetime, importer.until, importer.clear, importer.convert,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _replace_transient(settings: Settings, transient: bool) -> Settings:
    return replace(settings, cookie=replace(settings.cookie, transient=transient)).derive()
