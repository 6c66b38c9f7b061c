"""The error of a demo that cannot be served."""

from __future__ import annotations

from ...errors import SessionKitError

__all__ = ["DemoError"]


class DemoError(SessionKitError):
    """The demo cannot be served; the message says why."""
