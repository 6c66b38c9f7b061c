"""What a 2 kB session adds to a request inside a framework: the framework's own against ours.

Each way is an application in a process of its own that is called without a server; in each round all take turns, on the same
core. The figures are of processor time, medians over the rounds, with the application without sessions subtracted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from apps import ACTIONS, FRAMEWORKS, THEIRS, WAYS

Figures = dict[tuple[str, str], float]
"""What a request costs, by way and action."""


class Worker:
    """An application in a process of its own."""

    def __init__(self, *words: str, program: str = "apps.py") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(program)), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def took(self, action: str, number: int) -> float:
        """Return the microseconds of processor time that a request took, over a number of them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{action} {number}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline()) / number * 1e6

    def end(self) -> None:
        self._process.communicate()


def stay_on_one_core() -> None:
    """Keep this process, and those that it starts, on one core: the cores of a shared machine differ in speed for minutes."""
    if hasattr(os, "sched_setaffinity"):  # Linux has it
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def measure(framework: str, *, rounds: int, loops: int, ways: tuple[str, ...] = WAYS) -> Figures:
    workers = {way: Worker(framework, way) for way in ways}
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        for action in ACTIONS:
            for way, worker in workers.items():
                took = worker.took(action, loops)
                if number:  # the first round warms up
                    found.setdefault((way, action), []).append(took)
    for worker in workers.values():
        worker.end()
    return {key: statistics.median(times) for key, times in found.items()}


def head(unit: str) -> None:
    """Print what the rows of `report` mean."""
    print(f"\nInside the frameworks, Python {sys.version.partition(' ')[0]}: {unit} that a")
    print("session of 2 kB adds to a request, and ours as a multiple of theirs, json | speed")
    print(f"{'':42}{'app alone':>9}{'theirs':>8}{'json':>8}{'speed':>8}   ratios", flush=True)


def report(framework: str, figures: Figures, *, digits: int) -> None:
    """Print a framework's rows, with so many digits after the point."""

    def added(way: str, action: str) -> float:
        return figures[way, action] - figures["none", action]

    for action in ACTIONS:
        theirs = added("theirs", action)
        cells = [f"{added(way, action):8.{digits}f}" for way in ("theirs", "json", "speed")]
        ratios = " | ".join(f"{added(way, action) / theirs:5.2f}" for way in ("json", "speed"))
        row = f"{THEIRS[framework] if action == ACTIONS[0] else '':32}{action:10}"
        alone = figures["none", action]
        print(f"{row}{alone:9.{digits}f}{''.join(cells)}   {ratios}", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py frameworks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--loops", type=int, default=100, help="requests in a turn")
    parser.add_argument("--only", nargs="*", choices=FRAMEWORKS, default=list(FRAMEWORKS))
    options = parser.parse_args(arguments)
    stay_on_one_core()
    head("microseconds")
    for framework in options.only:
        figures = measure(framework, rounds=options.rounds, loops=options.loops)
        report(framework, figures, digits=1)
