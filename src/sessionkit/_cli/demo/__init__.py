"""A small site that shows what happens to a session; one story, served over WSGI or ASGI."""

from .check import check
from .server import DemoError, serve

__all__ = ["DemoError", "check", "serve"]
