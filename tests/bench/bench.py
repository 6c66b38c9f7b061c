"""Measure what sessions cost, on this machine.

Usage: `python bench.py [calls|promises|store|frameworks|servers|floor|instructions|backends|peers] [options]`, or `nox -s bench`.

A shared machine is noisy, so every time is the median over many short rounds in which all contenders take turns, and what
counts is the ratio between two of them. Without arguments the first five run.
"""

from __future__ import annotations

import sys
from importlib import import_module

BY_DEFAULT = ("calls", "promises", "store", "frameworks", "servers")
WHEN_ASKED = ("floor", "instructions", "backends", "peers")
"""The last three need valgrind; redis-server, and packages that the others do not."""


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] not in BY_DEFAULT + WHEN_ASKED:
        print(__doc__)
        return 2
    for kind in arguments[:1] or BY_DEFAULT:
        import_module(kind).main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
