"""Increments one session in a process of its own, once its standard input says so: `python script.py <times>`."""

import os
import sys

from sessionkit import CookieSettings, SessionStore
from sessionkit.backends._url import open_backend

if __name__ == "__main__":
    store = SessionStore(
        os.environ["STRESS_SECRET"],
        backend=open_backend(os.environ["STRESS_BACKEND"]),
        cookie=CookieSettings(secure=False),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(int(sys.argv[1])):
        with store.exchange(os.environ["STRESS_COOKIE"]):
            store.update_session(lambda session: {**session, "n": session["n"] + 1})
