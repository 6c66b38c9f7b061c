"""The error of a demo that cannot be served."""

from __future__ import annotations

from ...errors import ConfigurationError

__all__ = ["DemoError"]


class DemoError(ConfigurationError):
    """The demo cannot be served; the message says why."""
