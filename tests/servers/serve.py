"""Runs one server in a process group of its own, which ends with the tests: `python serve.py <server> <port>`."""

from __future__ import annotations

import os
import runpy
import select
import signal
import sys
import threading
from pathlib import Path

LONGEST = 150  # seconds that a server lives, whatever happens

SERVERS = {
    "gunicorn sync": "gunicorn --worker-class sync --workers 2 --bind 127.0.0.1:{port} apps:wsgi",
    "gunicorn threads": "gunicorn --worker-class gthread --workers 1 --threads 8 --bind 127.0.0.1:{port} apps:wsgi",
    "gunicorn gevent": "gunicorn --worker-class gevent --bind 127.0.0.1:{port} apps:wsgi",
    "waitress": "waitress --listen=127.0.0.1:{port} --threads=8 apps:wsgi",
    "uvicorn h11": "uvicorn --http h11 --host 127.0.0.1 --port {port} --log-level error apps:asgi",
    "uvicorn httptools": "uvicorn --http httptools --host 127.0.0.1 --port {port} --log-level error apps:asgi",
    "hypercorn": "hypercorn --bind 127.0.0.1:{port} apps:asgi",
    "hypercorn trio": "hypercorn --worker-class trio --bind 127.0.0.1:{port} apps:asgi",
    "granian ASGI": "granian --interface asgi --host 127.0.0.1 --port {port} --no-log apps:asgi",
    "granian WSGI": "granian --interface wsgi --host 127.0.0.1 --port {port} --no-log --blocking-threads 8 apps:wsgi",
}


def end_with_the_tests() -> None:
    select.select([sys.stdin], [], [], LONGEST)  # the tests close it, or are gone
    os.killpg(0, signal.SIGKILL)


def wsgiref(port: int) -> None:
    from wsgiref.simple_server import make_server

    import apps

    make_server("127.0.0.1", port, apps.wsgi).serve_forever()


if __name__ == "__main__":
    threading.Thread(target=end_with_the_tests, daemon=True).start()
    server, port = sys.argv[1:]
    os.chdir(Path(__file__).parent)
    sys.path[0] = str(Path(__file__).parent)
    if server == "wsgiref":
        wsgiref(int(port))
    else:
        sys.argv = SERVERS[server].format(port=port).split()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
