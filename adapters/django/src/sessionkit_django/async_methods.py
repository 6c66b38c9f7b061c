"""The async methods of a session (`aflush`, `asave`, …). They await the backend; without one they do no I/O."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from sessionkit import Exchange
from sessionkit.adapters import aload

from .config import project_store

__all__ = ["AwaitedSession"]

READING = ("get_expire_at_browser_close", "load")
WRITING = ("create", "cycle_key", "delete", "exists", "flush", "save")
"""The methods whose async variants Django would call in a thread."""


class AwaitedSession(SessionBase):
    """A session whose async methods never block the event loop."""

    exchange: Exchange

    async def _aget_session(
        self, no_load: bool = False
    ) -> Any:  # the other async methods of the base class read and write this
        await aload(self.exchange)
        return self.exchange.contents

    @classmethod
    async def aclear_expired(cls) -> None:
        """Remove expired sessions from the backend; cookies expire by themselves."""
        store = project_store()
        if store.settings.backend is not None:
            while await store.apurge(BATCH) == BATCH:
                pass


BATCH = 500
"""The number of expired sessions that are removed at once."""


def _make_twin(name: str) -> Any:
    async def twin(self: Any, *args: Any, **named: Any) -> Any:
        await aload(self.exchange)
        if name in READING or self.exchange.server is None:
            return getattr(self, name)(*args, **named)
        return await self.await_steps(getattr(self, f"_{name}")(*args, **named))

    twin.__name__, twin.__doc__ = f"a{name}", f"Do as `{name}`, and await the backend."
    return twin


for _name in (*READING, *WRITING):
    setattr(AwaitedSession, f"a{_name}", _make_twin(_name))
