"""The threads of a process write to an SQLite file one by one, in the order in which they ask."""

import threading

from sessionkit.backends import SQLiteBackend

from .sqlite_files import NOW, record


def test_a_thread_that_writes_all_the_time_lets_another_write(tmp_path):
    path = tmp_path / "sessions.db"
    backends = [SQLiteBackend(path, timeout=2, clock=lambda: NOW) for _ in range(2)]
    wrote = threading.Event()

    def write_on():
        while not wrote.is_set():
            backends[0].touch("canary-key", "canary-owner", NOW, NOW)

    backends[0].insert(record(), NOW)
    threads = [threading.Thread(target=write_on) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        assert all(backends[1].insert(record(str(n)), NOW) for n in range(20))
    finally:
        wrote.set()
        for thread in threads:
            thread.join()
    for backend in backends:
        backend.close()
