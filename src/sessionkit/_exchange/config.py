"""The settings of a store, as an exchange reads them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from string import punctuation
from typing import Any, cast
from urllib.parse import quote

from .._cookies.barrier import LABEL as BARRIER_LABEL
from .._cookies.chunks import Layout, most
from .._cookies.fence import LABEL as FENCE_LABEL
from .._cookies.fence import max_age
from .._cookies.renewal import LABEL as SEEN_LABEL
from .._cookies.settings import LINE, CookieSettings, insert_label
from .._crypto.keyring import KeyRing, PurposeKeys
from .._session.events import EventKind, OnEvent, tell
from .._session.identity import Guard, Identity, has_user, resolve
from .._session.json import Serializer
from .._session.lifetime import FOUR_HUNDRED_DAYS, Lifetime
from .._session.tags import Tags
from ..formats._protocols import Codec, Format, Taker
from .framework_keys import FrameworkKeys
from .request import RequestInfo

__all__ = ["Accepted", "Clock", "Settings"]

Clock = Callable[[], float]


_LATER: Any = None  # `Settings.derive` gives the value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """A store's settings, resolved: every default filled in, keys derived, names spelled out.

    Where the settings are made, and where one is replaced that others follow from, `derive` works those out.
    """

    lifetime: Lifetime
    cookie: CookieSettings
    format: Format
    serializer: Serializer
    audience: str
    keys: Any = field(repr=False)
    """The secrets, as the format takes them."""
    ring: KeyRing = field(repr=False)
    """The key ring of the same secrets, for the barrier."""
    given: tuple[Guard | None, Identity | None] = (None, None)
    """The guard and the identity that were given: what is None is the format's, or the default."""
    guard: Guard
    identity: Identity
    login_keys: tuple[str, ...] = ()
    """Top-level keys that count as a signed-in user, the framework's included."""
    renews: Callable[[RequestInfo], bool]
    on_event: OnEvent | None
    clock: Clock
    framework: FrameworkKeys | None = None
    origin: Settings | None = None
    """The store's own settings, where these are a copy for a framework whose own session object is served."""
    accepted: tuple[Accepted, ...] = ()
    small: int = 0
    """Bytes of a plaintext whose token certainly fits into `room`."""
    warned: set[EventKind] = field(default_factory=set[EventKind])

    # What follows from these. Requests read it, so it is worked out once.
    codec: Codec = _LATER
    barrier_keys: PurposeKeys = _LATER
    layout: Layout = _LATER
    name: str = _LATER
    chunk: str = _LATER
    """How the name of a chunk begins."""
    seen: str = _LATER
    fence: str = _LATER
    barrier: str = _LATER
    stem: str = _LATER
    """What the names of all our cookies contain."""
    room: int = _LATER
    """Characters of a token that certainly fits into one cookie, and into `max_bytes`."""
    shapes: tuple[str, ...] = _LATER
    """The names of all cookies that `max_bytes` lets a session be in: the whole one, then the chunks in order."""
    largest_integer: int = _LATER
    """The greatest absolute value of an integer in a session."""
    tolerance: int = _LATER
    """Seconds for which a session is still good after its expiry."""
    carried: tuple[str, ...] = _LATER
    """Members that an update cannot change."""
    owner_keys: frozenset[str] | None = _LATER
    """The keys that say who the user is; None where a guard or identity of one's own may look at any key."""
    ends: Callable[[Mapping[str, Any], int], float] | None = _LATER
    """The moment at which contents end their session themselves, of the contents and the time of the last activity."""
    tags: Tags | None = _LATER
    """How values that JSON has not are kept."""
    nobody: str | None = _LATER
    """Why a session of nobody cannot be kept, or None if it can."""
    fence_age: int = _LATER
    """Seconds that the fence lives."""

    def derive(self) -> Settings:
        """Return the settings with everything that follows from them.

        Raises:
            ConfigurationError: the format cannot work with them.
        """
        cookie, layout, traits = self.cookie, self.format.layout, self.format.traits
        name = cast("str", cookie.name)  # the store has spelled it out
        for_ever = any(
            self.lifetime.absolute is None or not one.settings.format.traits.dated
            for one in self.accepted
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
            # Formats that know no audience take any text for one.
            barrier_keys=self.ring.purpose("before", name, quote(self.audience, safe=_PRINTABLE)),
            layout=layout,
            chunk=name + layout.separator,
            seen=insert_label(name, SEEN_LABEL),
            fence=insert_label(name, FENCE_LABEL),
            barrier=insert_label(name, BARRIER_LABEL),
            stem=insert_label(name, "\0").rpartition("\0")[2],
            room=_count_room(cookie, layout, name),
            shapes=_list_shapes(cookie, layout, name),
            largest_integer=traits.largest_integer,
            tolerance=traits.tolerance,
            carried=traits.carried,
            owner_keys=self._owner_keys(),
            ends=None if self.framework is None else self.framework.ends,
            tags=self.serializer.tags,
            nobody=traits.nobody,
            fence_age=max_age(self.lifetime, imported_for_ever=for_ever),
        )

    def _owner_keys(self) -> frozenset[str] | None:
        traits = self.format.traits
        if self.given != (None, None) or traits.guard is not None or traits.identity is not None:
            return None
        noticed = () if self.framework is None else self.framework.noticed
        return frozenset(("user", *self.login_keys, *noticed))

    def with_changes(self, **changes: Any) -> Settings:
        """Return settings with changes that hold for the cookies of others, too, that sessions are taken from."""
        accepted = tuple(
            replace(one, settings=one.settings.with_changes(**changes)) for one in self.accepted
        )
        return replace(self, accepted=accepted, **changes).derive()

    def with_framework(self, keys: FrameworkKeys) -> Settings:
        """Return the same settings for a framework whose own session object is served."""
        login_keys = tuple(dict.fromkeys((*self.login_keys, *keys.login)))
        traits = self.format.traits
        guard, identity = resolve(self.given, (traits.guard, traits.identity), login_keys)
        made = replace(
            self,
            guard=guard,
            identity=identity,
            login_keys=login_keys,
            framework=replace(keys, login=login_keys),
            origin=self.origin or self,
        ).derive()
        return made if keys.tags is None else made.with_tags(keys.tags)

    def with_tags(self, tags: Tags) -> Settings:
        """Return the same settings for sessions with values that JSON does not have."""
        return self.with_changes(serializer=self.serializer.tagging(tags))

    def names_somebody(self, contents: Mapping[str, Any]) -> bool:
        """Return whether contents are those of a signed-in user for a library that takes every token for one.

        That is so by the format's own guard, or by the store's. A guard that passes even an empty session
        tells nobody from somebody.
        """
        if (self.format.traits.guard or has_user)(contents):
            return True
        if not self.guard(contents):
            return False
        try:
            return not self.guard({})
        except Exception:  # noqa: BLE001  # somebody else's function, asked about what it need not expect
            return True

    def and_framework(self, keys: FrameworkKeys) -> Settings:
        """Return settings for two frameworks: the one that is served, and another inside it."""
        return _join_frameworks(self, keys)

    def suited(self, contents: Mapping[str, Any]) -> Settings:
        """Return the settings to write a session with: the contents of a framework's session may say that its cookie is transient."""
        asked = (
            None
            if self.framework is None or self.framework.transient is None
            else self.framework.transient(contents)
        )
        return (
            self
            if asked is None or asked is self.cookie.transient
            else _with_transient(self, asked)
        )

    def same_store(self, other: Settings) -> bool:
        """Return whether both belong to one store, or to two that are equal in everything that decides."""
        return self is other or not self.differences(other)

    def differences(self, other: Settings) -> tuple[str, ...]:
        """Return the names of the settings in which another store differs; never their values."""
        return _differences(self.origin or self, other.origin or other)

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        return self  # Litestar copies its configuration, and a gateway with it: the keys are never copied

    def warn_once(self, kind: EventKind) -> None:
        """Report an event once in the life of the store: it is the same for every request."""
        if kind not in self.warned:
            self.warned.add(kind)
            tell(self.on_event, kind)


_PRINTABLE = " " + punctuation


def _count_room(cookie: CookieSettings, layout: Layout, name: str) -> int:
    if layout.numbered or layout.alike or layout.size is not None:
        return 0  # such a format cuts by rules of its own
    return min(
        LINE - len(cookie.line(name, "", FOUR_HUNDRED_DAYS)), cookie.max_bytes - len(name) - 3
    )


def _list_shapes(cookie: CookieSettings, layout: Layout, name: str) -> tuple[str, ...]:
    # The longest line leaves the least room for a chunk, and so makes the most chunks.
    line = LINE + 1 - len(cookie.line("", "", FOUR_HUNDRED_DAYS)) - (layout.expiry or 0)
    count = most(name, layout, line, cookie.max_bytes)
    return (name, *(f"{name}{layout.separator}{number}" for number in range(count)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accepted:
    """A cookie of another library that a session may be taken from.

    Attributes:
        settings: the settings by which it is read, as if it were a store's own; nothing is sealed by them.
        until: the time from which it is ignored, in seconds since the epoch, or None.
        clear: whether it is removed once the session is ours.
        take: returns the contents of our session for its contents and times, or None.
    """

    settings: Settings
    until: float | None
    clear: bool
    take: Taker

    def clearing(self, names: Iterable[str], own: Container[str]) -> list[str]:
        """Return the lines that remove it, twice if it may have been set with another path or domain than ours.

        Args:
            names: the names of its cookies.
            own: the names of our cookies. A cookie with such a name is removed only at another path or domain than ours.
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
    known = settings.framework or FrameworkKeys()
    both = FrameworkKeys(
        login=tuple(dict.fromkeys((*known.login, *keys.login))),
        dropped=tuple(dict.fromkeys((*known.dropped, *keys.dropped))),
        transient=known.transient or keys.transient,
        ends=known.ends or keys.ends,
    )
    return settings if both == known else settings.with_framework(both)


@lru_cache(maxsize=256)
def _differences(one: Settings, other: Settings) -> tuple[str, ...]:
    if one is other:
        return ()
    ours, theirs = _list_deciding(one), _list_deciding(other)
    return tuple(name for name in ours if ours[name] != theirs[name])


def _list_deciding(settings: Settings) -> dict[str, object]:
    """Return the settings that decide whether there is a session, for whom, and for how long."""
    guard, identity = settings.guard, settings.identity
    if settings.login_keys:  # for which functions were made that equal no others
        traits = settings.format.traits
        guard, identity = resolve(settings.given, (traits.guard, traits.identity), ())
    return {
        "secret": settings.codec.ids,
        "audience": settings.audience,
        "cookie": settings.cookie,
        "format": settings.format,
        "lifetime": settings.lifetime,
        "guard": guard,
        "identity": identity,
        "login_keys": settings.login_keys,
        "accept": [_list_parts(accepted) for accepted in settings.accepted],
        "renews": settings.renews,
    }


def _list_parts(accepted: Accepted) -> tuple[object, ...]:
    """Return the settings that decide about a cookie of another library."""
    read = accepted.settings
    return (
        read.codec.ids, read.cookie, read.format, read.lifetime, accepted.until, accepted.clear, accepted.take,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _with_transient(settings: Settings, transient: bool) -> Settings:
    return replace(settings, cookie=replace(settings.cookie, transient=transient)).derive()
