"""Every error that sessionkit raises on purpose.

An error reports a mistake in the program, or a part that is broken, such as a backend. A cookie from the network never
raises an error, even if it is forged or out of date: it gives a session or an `Absence`.
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
    """The base class of all errors of sessionkit. Catch it to catch all of them."""


class ConfigurationError(SessionKitError, ValueError):
    """A setting cannot work. The message says which rule it breaks, and how to correct it."""


class NoActiveRequestError(SessionKitError, LookupError):
    """A verb was called outside of a request, or for a request that no gateway answers. Serve the application through a gateway."""


class ResponseStartedError(SessionKitError, RuntimeError):
    """The session was changed after the response's headers had been sent. Change it before the response starts."""


class SessionTooLargeError(SessionKitError, ValueError):
    """The session does not fit in the cookies that `max_bytes` allows."""


class SerializationError(SessionKitError, TypeError):
    """The session holds a value that is not JSON. The message gives its path."""


class IdentityChangedError(SessionKitError, RuntimeError):
    """A change in place turned the session into that of another user. No change of the request is saved."""


class BackendError(SessionKitError, RuntimeError):
    """The backend could not be reached, failed, or did not reply in time. The state of the session is unknown."""


class ConflictError(BackendError):
    """Parallel requests changed the same session, and the changes could not be merged. No change of the request is saved."""
