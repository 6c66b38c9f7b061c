"""Processor instructions that a 2 kB session adds to a request inside a framework: the framework's own against ours.

valgrind counts them, so the figures hardly depend on what else the machine does. They tell how much work there is, not how
long it takes: a processor finishes some instructions sooner than others. Needs valgrind (`apt-get install valgrind`).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from apps import ACTIONS, FRAMEWORKS, WAYS
from frameworks import Figures, head, report

WARM = "".join(f"{action} 30\n" for action in ACTIONS)
"""What each process is asked first, so that caches are full and Python has specialized its bytecode."""

MEASURED = 100
VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
FIXED = {**os.environ, "PYTHONHASHSEED": "0"}


def serve(framework: str, way: str, requests: str, *, under: tuple[str, ...] = ()) -> str:
    """Serve requests to an application in a process of its own, and return what the process prints to stderr."""
    program = Path(__file__).with_name("apps.py")
    done = subprocess.run(
        [*under, sys.executable, str(program), framework, way],
        input=requests,
        env=FIXED,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def count(framework: str, way: str, more: str = "") -> int:
    """Return the instructions of a process that serves an application's warm-up, and then more requests."""
    printed = serve(framework, way, WARM + more, under=VALGRIND)
    found = re.search(r"I +refs: +([0-9,]+)", printed)
    if found is None:
        raise RuntimeError(f"valgrind printed no count: {printed[-500:]}")
    return int(found[1].replace(",", ""))


def measure(framework: str, pool: ThreadPoolExecutor) -> Figures:
    """Return thousands of instructions of a request, by way and action."""
    for way in WAYS:
        serve(
            framework, way, WARM
        )  # otherwise the first count has the writing of bytecode, and the later ones have not
    before = {way: pool.submit(count, framework, way) for way in WAYS}
    after = {
        (way, action): pool.submit(count, framework, way, f"{action} {MEASURED}\n")
        for way in WAYS
        for action in ACTIONS
    }
    return {
        (way, action): (counted.result() - before[way].result()) / MEASURED / 1000
        for (way, action), counted in after.items()
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py instructions", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=FRAMEWORKS, default=list(FRAMEWORKS))
    options = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        parser.error("valgrind is not installed: apt-get install valgrind")
    head("thousands of processor instructions")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for framework in options.only:
            report(framework, measure(framework, pool), digits=0)
