"""Fixtures of the command line."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SESSIONKIT_")]:
        monkeypatch.delenv(name)
