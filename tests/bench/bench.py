"""Measure what sessions cost, on this machine: `python bench.py [calls|promises|store|frameworks|servers|backends|peers] [options]`.

A shared machine is noisy, so every figure is the median over many short rounds in which all contenders take turns,
and what counts is the ratio between two of them. Without arguments the first five run. Run it with `nox -s bench`.
"""

from __future__ import annotations

import sys
from importlib import import_module

IN_COOKIES = ("calls", "promises", "store", "frameworks", "servers")
ON_SERVER = ("backends", "peers")
"""They need redis-server, and packages that the others do not."""


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] not in IN_COOKIES + ON_SERVER:
        print(__doc__)
        return 2
    for kind in arguments[:1] or IN_COOKIES:
        import_module(kind).main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
