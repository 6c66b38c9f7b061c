"""Measure time as a process had it: the moments in which a busy machine did not let it run are not counted."""

from __future__ import annotations

import threading
import time

from typing_extensions import Self

TICK = 0.01


class Stopwatch:
    """Measure a block: `with Stopwatch() as watch: ...`.

    A thread beside it sleeps for a tick again and again. The process did not run while that thread overslept.

    Attributes:
        seconds: the time that the block took, without what the machine took; set at the end of the block.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lost = 0.0
        self._ended = threading.Event()
        self._beside = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._beside.start()
        return self

    def __exit__(self, *_: object) -> None:
        took = time.monotonic() - self._start
        self._ended.set()
        self._beside.join()
        self.seconds = took - self._lost

    def _tick(self) -> None:
        last = self._start
        while not self._ended.wait(TICK):
            now = time.monotonic()
            self._lost += max(0.0, now - last - 2 * TICK)
            last = now
