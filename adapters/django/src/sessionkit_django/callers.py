"""Find out who asks the engine for a session: a test client of Django, the session middleware of Channels, or the project's code.

The test client and the middleware pass the value of one cookie to the engine as if it were a session key. But our session may
have several cookies, under another name, and a session key in a cookie opens no session. So the engine looks at the frame of the
calling function, and takes the client or the connection with all its cookies from there. A request from the network cannot choose
this frame. A subclass of the middleware of Channels counts as the middleware.
"""

from __future__ import annotations

import sys
from inspect import currentframe
from types import FrameType
from typing import Any

__all__ = [
    "CHANNELS",
    "CLIENT",
    "find_channels_wrapper",
    "find_test_client",
    "is_asked_by",
    "is_channels_asking",
    "may_be_asked_by_old_channels",
]

CLIENT, CHANNELS, THREADS = "django.test.client", "channels.sessions", "asgiref.sync"
PASSED = {"__init__", "session_key"}
"""The methods of a project's subclass of the engine that may be between the caller and this module."""


def find_test_client() -> Any:
    """Return the test client of Django that asks for its session; None if other code asks."""
    return _find_self() if is_asked_by(CLIENT) else None


def find_channels_wrapper() -> Any:
    """Return Channels' wrapper of the connection for which it asks for a session; None if other code asks."""
    channels, found = _channels(), _find_self()
    return found if channels and isinstance(found, channels.InstanceSessionWrapper) else None


def is_asked_by(module: str, function: str | None = None) -> bool:
    """Return whether a function of a module asks for the session.

    Args:
        module: its name.
        function: the name of the function there; None for any.
    """
    frame = _find_caller()
    return (
        frame is not None
        and frame.f_globals.get("__name__") == module
        and function in (None, frame.f_code.co_name)
    )


def is_channels_asking() -> bool:
    """Return whether the session middleware of Channels asks, or may be asking from a thread."""
    return find_channels_wrapper() is not None or may_be_asked_by_old_channels()


def may_be_asked_by_old_channels() -> bool:
    """Return whether the caller may be the session middleware of Channels before 4.2.

    That middleware asks from a thread, so the stack of this call does not show it.
    """
    channels = _channels()
    if channels is None or not is_asked_by(THREADS):
        return False
    asking = channels.InstanceSessionWrapper.resolve_session
    return "database_sync_to_async" in asking.__code__.co_names


def _channels() -> Any:
    """Return the module of Channels that asks for sessions; None if the project does not use it."""
    return sys.modules.get(CHANNELS)


def _find_self() -> Any:
    """Return the object whose method asks for the session; None if a plain function asks."""
    frame = _find_caller()
    return None if frame is None else frame.f_locals.get("self")


def _find_caller() -> FrameType | None:
    """Return the frame of the function that uses the session: the first one that belongs neither to this package nor to a subclass."""
    frame = currentframe()
    while frame is not None and (
        frame.f_code.co_name in PASSED
        or str(frame.f_globals.get("__name__")).startswith("sessionkit_django.")
    ):
        frame = frame.f_back
    return frame
