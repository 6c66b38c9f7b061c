"""Runs one contract app in a process of its own: `python serve.py <app> <fd of a listening socket> <fd to describe it on>`."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
# Without our own folder: apps are named after frameworks, and `import flask` must find the framework. The one above
# comes last: `typing` in it is not the standard library's.
sys.path[:] = [
    *(one for one in sys.path if one and Path(one).resolve() != HERE),
    str(HERE.parent),
    str(HERE.parent / "shared"),
]


def load(name: str) -> ModuleType:
    """The module of an app, by its file: it must not stand in the way of the framework that it is named after."""
    spec = importlib.util.spec_from_file_location(
        f"contract_app_{name}", HERE / "apps" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _end_with_the_suite() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_suite, daemon=True).start()
    listening = socket.socket(fileno=int(sys.argv[2]))
    app = load(sys.argv[1]).APP
    with os.fdopen(int(sys.argv[3]), "w") as described:
        versions = {one: version(one) for one in app.versions}
        json.dump(
            {
                "gaps": dict(app.gaps),
                "unprobed": list(app.unprobed),
                "dropped": app.dropped,
                "versions": versions,
                "pages": app.pages,
            },
            described,
        )
    app.serve(listening)
