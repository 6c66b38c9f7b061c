"""Requests per second through real servers: uvicorn and gunicorn with one worker each, under wrk, all ways in turn.

wrk is a program of its own (Debian has it: `apt-get install wrk`). Where there are two processors, the server has one
to itself.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from apps import ACTIONS, FRAMEWORKS, OVER_ASGI, THEIRS, WAYS
from sessions import cookie_header

UVICORN = ["uvicorn", "apps:app", "--no-access-log", "--log-level", "warning", "--port"]
GUNICORN = ["gunicorn", "apps:app", "--workers", "1", "--log-level", "warning", "--bind"]


class Server:
    """A server with one worker on a loopback port."""

    def __init__(self, framework: str, way: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        over_asgi = framework in OVER_ASGI
        command = [*UVICORN, str(port)] if over_asgi else [*GUNICORN, f"127.0.0.1:{port}"]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [*on_processor(0), sys.executable, "-m", *command],
            cwd=Path(__file__).parent,
            env={**os.environ, "BENCH_APP": f"{framework}:{way}"},
        )
        self.cookie = cookie_header(self._begin())

    def _begin(self) -> list[str]:
        for _ in range(100):
            try:
                with urlopen(Request(f"{self.url}/begin", headers={"Cookie": ""})) as answer:
                    return answer.headers.get_all("Set-Cookie") or []
            except URLError:
                time.sleep(0.1)  # it is not up yet
        raise SystemExit(f"{self.url} did not come up")

    def requests_per_second(self, action: str, seconds: int) -> float:
        command = [
            *on_processor(1),
            "wrk",
            "-t1",
            "-c8",
            f"-d{seconds}s",
            "-H",
            f"Cookie: {self.cookie}",
        ]
        done = subprocess.run(
            [*command, f"{self.url}/{action}"], capture_output=True, text=True, check=True
        )
        assert "Non-2xx" not in done.stdout, done.stdout
        return float(re.search(r"Requests/sec: *([\d.]+)", done.stdout)[1])

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def on_processor(number: int) -> list[str]:
    """Return what keeps a command on one of this program's processors, if it has several."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2 or shutil.which("taskset") is None:
        return []
    return ["taskset", "-c", str(allowed[number])]


def measure(framework: str, *, rounds: int, seconds: int) -> dict[tuple[str, str], float]:
    servers = {way: Server(framework, way) for way in WAYS}
    found: dict[tuple[str, str], list[float]] = {}
    try:
        for number in range(rounds + 1):
            for action in ACTIONS:
                for way, server in servers.items():
                    rate = server.requests_per_second(action, seconds if number else 1)
                    if number:  # the first round warms up
                        found.setdefault((way, action), []).append(rate)
    finally:
        for server in servers.values():
            server.end()
    return {key: statistics.median(rates) for key, rates in found.items()}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py servers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of wrk in a turn")
    parser.add_argument("--only", nargs="*", choices=FRAMEWORKS, default=list(FRAMEWORKS))
    options = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not there: apt-get install wrk")
    print(f"\nThrough servers, Python {sys.version.partition(' ')[0]}: requests per second with a")
    print("session of 2 kB, and ours as a multiple of theirs (more is better), json | speed")
    print(f"{'':52}{'app alone':>9}{'theirs':>9}{'json':>9}{'speed':>9}   ratios", flush=True)
    for framework in options.only:
        rates = measure(framework, rounds=options.rounds, seconds=options.seconds)
        server = "uvicorn" if framework in OVER_ASGI else "gunicorn"
        for action in ACTIONS:
            theirs = rates["theirs", action]
            cells = "".join(f"{rates[way, action]:9.0f}" for way in WAYS)
            ratios = " | ".join(f"{rates[way, action] / theirs:5.2f}" for way in ("json", "speed"))
            print(f"{THEIRS[framework]:32}{server:10}{action:10}{cells}   {ratios}", flush=True)
