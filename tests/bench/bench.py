"""Measure what sessions cost, on this machine: `python bench.py [frameworks|servers|calls|store] [options]`.

A shared machine is noisy, so every figure is the median over many short rounds in which all contenders take turns,
and what counts is the ratio between two of them. Without arguments all four run. Run it with `nox -s bench`.
"""

from __future__ import annotations

import sys

import calls
import frameworks
import store

import servers

KINDS = {"calls": calls, "store": store, "frameworks": frameworks, "servers": servers}


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] not in KINDS:
        print(__doc__)
        return 2
    for kind in arguments[:1] or list(KINDS):
        KINDS[kind].main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
