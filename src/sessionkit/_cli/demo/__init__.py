"""The demo: a small site that shows what happens to a session, served over WSGI or ASGI."""

from .check import check
from .server import DemoError, serve

__all__ = ["DemoError", "check", "serve"]
