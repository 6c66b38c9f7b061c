"""A network between two machines: a TCP proxy that holds back each piece for a time, in both directions.

As a program it prints its port: `python delay.py 6379 0.00015`. Its own work counts as part of the delay: first it sends
bytes through itself, and sees how long they take without any.
"""

from __future__ import annotations

import socket
import statistics
import sys
import threading
import time


def forward(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Copy what comes, each piece so many seconds later; wait busily, since a sleep lasts 0.05 ms longer than asked."""
    with source, target:
        while piece := source.recv(1 << 18):
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                pass
            target.sendall(piece)


def serve(listening: socket.socket, port: int, seconds: float) -> None:
    """Connect each client to the server."""
    while True:
        client, _ = listening.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for ends in ((client, server), (server, client)):
            threading.Thread(target=forward, args=(*ends, seconds), daemon=True).start()


def start(port: int, seconds: float) -> int:
    """Start a proxy before a server, and return its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listening, port, seconds), daemon=True).start()
    return int(listening.getsockname()[1])


def round_trip(port: int) -> float:
    """Return the seconds that a PING of Redis takes."""
    times = []
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(500):
            begin = time.perf_counter()
            one.sendall(b"PING\r\n")
            one.recv(64)
            times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main(port: int, seconds: float) -> None:
    overhead = round_trip(start(port, 0)) - round_trip(port)
    ours = start(port, max(0.0, seconds - overhead / 2))
    added = round_trip(ours) - round_trip(port)
    sys.stdout.write(f"{ours} {added!r}\n")
    sys.stdout.flush()
    sys.stdin.read()  # until the other end closes it


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
