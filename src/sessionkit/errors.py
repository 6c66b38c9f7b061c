"""Every error sessionkit raises on purpose.

Errors are for the programmer's mistakes and for broken machinery. A cookie from the network,
however hostile or stale, is never an error: it is a session or an `Absence`.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "IdentityChangedError",
    "NoActiveRequestError",
    "ResponseStartedError",
    "SerializationError",
    "SessionKitError",
    "SessionTooLargeError",
]


class SessionKitError(Exception):
    """The root of the tree: catch it to catch all of them."""


class ConfigurationError(SessionKitError, ValueError):
    """A setting cannot work; the message says which rule it breaks and how to mend it."""


class NoActiveRequestError(SessionKitError, LookupError):
    """A verb was called with no request in reach, or with one that nobody will answer."""


class ResponseStartedError(SessionKitError, RuntimeError):
    """A session was written after the response's headers had gone out."""


class SessionTooLargeError(SessionKitError, ValueError):
    """The session does not fit in the cookies that `max_bytes` allows."""


class SerializationError(SessionKitError, TypeError):
    """The session holds something that is not JSON; the message gives its path."""


class IdentityChangedError(SessionKitError, RuntimeError):
    """A session was changed in place into somebody else's; nothing of the request is saved."""
