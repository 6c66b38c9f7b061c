"""Eight processes increment one session, all at once: every increment counts."""

import os
import subprocess
import sys
import time

import pytest

from .engines import ENGINES
from .web import HERE, LONGEST, SECRET, open_store

PROCESSES = 8


@pytest.mark.parametrize("name", ENGINES)
def test_no_increment_of_eight_processes_is_lost(name, engine_named, length, counted):
    engine = engine_named(name)
    store = open_store(engine.url)
    with store.exchange() as exchange:
        store.create_session({"user": {"sub": f"increments-{name}"}, "n": 0})
    (line,) = [value for field, value in exchange.response_headers if field == "Set-Cookie"]
    cookie = line.partition(";")[0]
    given = {"STRESS_SECRET": SECRET, "STRESS_BACKEND": engine.url, "STRESS_COOKIE": cookie}
    command = [sys.executable, str(HERE / "script.py"), str(length.increments // PROCESSES)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    running = [
        subprocess.Popen(command, env={**os.environ, **given}, text=True, **pipes)
        for _ in range(PROCESSES)
    ]
    try:
        for one in running:
            assert one.stdout.readline() == "ready\n"
        start = time.monotonic()
        for one in running:
            one.stdin.write("\n")
            one.stdin.flush()
        ends = [(one.communicate(timeout=10 * LONGEST)[1], one.returncode) for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert ends == [("", 0)] * PROCESSES
    with store.exchange(cookie):
        assert store.get_session()["n"] == length.increments
    store.settings.backend.close()
    counted(
        f"{PROCESSES} x {length.increments // PROCESSES}, none lost, no conflict, {time.monotonic() - start:.1f} s"
    )
