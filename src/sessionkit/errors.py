"""Every error that sessionkit raises on purpose.

An error reports a mistake of the programmer, or broken machinery. A cookie from the network, however hostile or
stale, is never an error: it gives a session or an `Absence`.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "ConfigurationError",
    "ConflictError",
    "IdentityChangedError",
    "NoActiveRequestError",
    "ResponseStartedError",
    "SerializationError",
    "SessionKitError",
    "SessionTooLargeError",
]


class SessionKitError(Exception):
    """The base of all errors: catch it to catch every one."""


class ConfigurationError(SessionKitError, ValueError):
    """A setting cannot work. The message says which rule it breaks, and how to mend it."""


class NoActiveRequestError(SessionKitError, LookupError):
    """A verb was called without a request, or for a request that nobody will answer."""


class ResponseStartedError(SessionKitError, RuntimeError):
    """A session was written after the response's headers had gone out."""


class SessionTooLargeError(SessionKitError, ValueError):
    """The session does not fit in the cookies that `max_bytes` allows."""


class SerializationError(SessionKitError, TypeError):
    """The session holds a value that is not JSON. The message gives its path."""


class IdentityChangedError(SessionKitError, RuntimeError):
    """A session was changed in place into another user's. No change of the request is saved."""


class BackendError(SessionKitError, RuntimeError):
    """The backend could not be reached, failed, or did not answer in time. The state of the session is unknown."""


class ConflictError(BackendError):
    """Parallel requests changed the same session, and the changes could not be merged. No change of the request is saved."""
