"""Fill a backend with sessions."""

from __future__ import annotations

import os
import time
from secrets import token_hex
from typing import Any

from sessionkit.backends import Record

SIZE = 2000


def fill(backend: Any, number: int) -> None:
    """Insert records with a payload as long as a session's, each of an owner of its own, as logins do."""
    now = int(time.time())
    for _ in range(number):
        record = Record(
            key=token_hex(16),
            owner=token_hex(16),
            generation=0,
            created_at=now,
            updated_at=now,
            expires_at=now + 86_400,
            version=os.urandom(12),
            sealed=os.urandom(SIZE),
        )
        backend.insert(record, now)
