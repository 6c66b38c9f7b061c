"""The demo behind a real ASGI server. Needs uvicorn, and fails without it: a skip would look like a pass."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import ProxyHandler, build_opener

import pytest


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl+C as on a terminal: a shell that starts something in the background has it ignored, and its children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_check_walks_the_whole_story_over_uvicorn() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "sessionkit", "demo", "--check", "--asgi"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = ran.stdout.splitlines()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert lines[0].endswith("(uvicorn)")
    assert lines[-1] == f"All {len(lines) - 2} steps did what they should."


@pytest.mark.usefixtures("ctrl_c")
def test_uvicorn_serves_the_page_until_interrupted() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sessionkit", "demo", "--asgi", "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        url = next(word for word in said.split() if word.startswith("http://"))
        with build_opener(ProxyHandler({})).open(url, timeout=30) as response:
            page = response.read().decode()
        os.kill(server.pid, signal.SIGINT)
        _, complaints = server.communicate(timeout=30)
    assert ("This is a demo" in page, "Traceback" in complaints, server.returncode) == (
        True,
        False,
        130,
    )
