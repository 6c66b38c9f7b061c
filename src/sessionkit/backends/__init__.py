"""Backends: where sessions are kept on the server. A client library is imported only with the backend that needs it."""

from ._protocols import AsyncBackend, Backend, Record

__all__ = ["AsyncBackend", "Backend", "Record"]
