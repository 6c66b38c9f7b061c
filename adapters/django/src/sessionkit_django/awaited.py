"""The async twins of a session that never waits: nothing goes through a thread."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase

__all__ = ["AwaitedSession"]


class AwaitedSession(SessionBase):
    """Of each method that Django would call in a thread, the twin that calls it right here."""

    async def aget_expire_at_browser_close(self) -> bool:
        """As `get_expire_at_browser_close`."""
        return self.get_expire_at_browser_close()

    async def aflush(self) -> None:
        """As `flush`."""
        self.flush()

    async def acycle_key(self) -> None:
        """As `cycle_key`."""
        self.cycle_key()

    async def acreate(self) -> None:
        """As `create`."""
        self.create()

    async def adelete(self, session_key: str | None = None) -> None:
        """As `delete`."""
        self.delete(session_key)

    async def aexists(self, session_key: str) -> bool:
        """As `exists`."""
        return self.exists(session_key)

    async def aload(self) -> dict[str, Any]:
        """As `load`."""
        return self.load()

    async def asave(self, must_create: bool = False) -> None:
        """As `save`."""
        self.save(must_create)

    @classmethod
    async def aclear_expired(cls) -> None:
        """As `clear_expired`."""
