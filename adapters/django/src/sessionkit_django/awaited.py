"""The async twins of a session that does no I/O: nothing goes through a thread."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase

__all__ = ["AwaitedSession"]

METHODS = (
    "create", "cycle_key", "delete", "exists", "flush", "get_expire_at_browser_close", "load", "save",
)  # fmt: skip
"""The methods of which Django would call the twin in a thread."""


class AwaitedSession(SessionBase):
    """A session whose async methods (`aflush`, `asave`, …) call the plain ones directly."""

    @classmethod
    async def aclear_expired(cls) -> None:
        """Do nothing: cookies expire by themselves."""


def _make_twin(name: str) -> Any:
    async def twin(self: AwaitedSession, *args: Any, **named: Any) -> Any:
        return getattr(self, name)(*args, **named)

    twin.__name__, twin.__doc__ = f"a{name}", f"Call `{name}`."
    return twin


for _name in METHODS:
    setattr(AwaitedSession, f"a{_name}", _make_twin(_name))
