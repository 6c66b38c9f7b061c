"""What all unit tests have in common."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the thousands of collected tests: only what the tests make is looked at."""
    gc.collect()
    gc.freeze()
