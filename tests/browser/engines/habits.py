"""The one table of what the engines do differently; `test_habits.py` asks each engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Habits:
    """The habits of an engine.

    Attributes:
        secure_over_http: whether it keeps a Secure cookie that comes over plain http from this machine.
    """

    secure_over_http: bool


HABITS = {
    "chromium": Habits(secure_over_http=True),
    "firefox": Habits(secure_over_http=True),
    "webkit": Habits(secure_over_http=False),
}
