"""The demo: a small site that shows what happens to a session, served over WSGI or ASGI."""

from .backend import opened_backend
from .check import check
from .errors import DemoError
from .server import serve

__all__ = ["DemoError", "check", "opened_backend", "serve"]
