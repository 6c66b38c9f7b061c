"""The store of the tests."""

from __future__ import annotations

import pytest

from sessionkit import SessionStore

from .visitor import SECRET


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET)
