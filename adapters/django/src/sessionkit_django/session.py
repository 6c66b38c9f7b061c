"""The part of `request.session` that reads and changes the contents."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings as project
from django.http import parse_cookie
from django.utils.module_loading import import_string

from sessionkit.adapters import LazyContents, SessionKeys, Snapshot

from .async_methods import AwaitedSession
from .config import gateway
from .expiry import check_expiry

__all__ = ["DjangoSession"]


class DjangoSession(LazyContents, AwaitedSession):  # type: ignore[misc]  # the stubs take a SessionBase for a dict
    """The contents of a request's session, with the attributes of Django's own classes.

    Args:
        exchange: the exchange of the request.
    """

    in_consumer: bool = False
    """Whether a consumer of Channels uses the session, inside a gateway that saves it."""

    # `__init__` is not that of `SessionBase`: the attributes that it sets are properties here, and most requests use none.
    _clean: Snapshot | None = None
    _marked = False

    def __setitem__(self, key: str, value: Any) -> None:
        check_expiry(key, value)
        super().__setitem__(key, value)

    @cached_property
    def serializer(self) -> Any:
        """The serializer of `encode` and `decode`, which the project's settings name."""
        return import_string(project.SESSION_SERIALIZER)

    @property
    def session_key(self) -> str | None:
        """The session's key; None while there is no session. In a cookie it opens no session."""
        return SessionKeys.make(self.exchange)

    @property
    def _session_key(self) -> str | None:
        return self.session_key

    @_session_key.setter
    def _session_key(self, value: str | None) -> None: ...

    @property
    def accessed(self) -> bool:
        """Whether the request used the session."""
        return self.exchange.looked_at

    @accessed.setter
    def accessed(self, value: bool) -> None: ...  # pyright: ignore[reportIncompatibleVariableOverride]  # a plain attribute in SessionBase

    @property
    def modified(self) -> bool:
        """Whether the session has changed since it was loaded, or since this was set to False; nested values count.

        Setting this to True is allowed, but not needed. In a consumer of Channels it is always False, because the
        `SessionMiddleware` of Channels would otherwise put the session key into the session's cookie.
        """
        if self.in_consumer:
            return False
        if self._clean is None:
            return self._marked or self.exchange.changed
        return self._marked or self._clean.differs_from(self.exchange.contents)

    @modified.setter
    def modified(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # a plain attribute in SessionBase
        self._marked = value
        if not value and self.exchange.looked_at:
            self._clean = Snapshot(self.exchange.contents)

    def _get_session(
        self, no_load: bool = False
    ) -> Any:  # SessionBase's signature; its own methods read and write this
        return self.exchange.contents

    _session = property(_get_session)

    def is_empty(self) -> bool:
        """Return whether the session holds nothing.

        As with Django's own sessions, this reads nothing: a session that nobody has read yet is empty if no cookie of one came.
        """
        exchange = self.exchange
        if exchange.looked_at or exchange.settings.importers:
            return not exchange.contents
        sent = parse_cookie(exchange.cookie_header)
        return not any(name in sent for name in exchange.settings.possible_names)

    def get_session_cookie_age(self) -> int:
        """Return the seconds of inactivity after which a session ends, unless `set_expiry` has set another time."""
        stamp = self.stamp
        lifetime = gateway().settings.find_lifetime(None if stamp is None else stamp.lifetime)
        return lifetime.idle or lifetime.absolute or 0

    def get_expire_at_browser_close(self) -> bool:
        """Return whether the browser forgets the session's cookie when it closes."""
        return gateway().settings.for_writing(self, self.stamp).cookie.transient
