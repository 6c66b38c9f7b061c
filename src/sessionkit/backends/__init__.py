"""Backends: where sessions are kept on the server. A client library is imported only with the backend that needs it."""

from ._memory import MemoryBackend
from ._protocols import REMOVAL_DELAY, AsyncBackend, Backend, Record

__all__ = ["REMOVAL_DELAY", "AsyncBackend", "Backend", "MemoryBackend", "Record"]
