"""The connections to an SQLite file whose statements wait for other writers."""

import sqlite3

from sessionkit.backends._sqlite_waiting import wait_while_locked


def test_a_connection_that_is_closed_in_the_middle_of_a_statement_leaves_no_lock(tmp_path):
    path = tmp_path / "sessions.db"
    connection = sqlite3.connect(path, isolation_level=None, **wait_while_locked(lambda: 1))
    connection.execute("CREATE TABLE numbers (n)")
    connection.execute("INSERT INTO numbers VALUES (1), (2)")
    connection.execute("BEGIN IMMEDIATE")
    unread = connection.execute("SELECT n FROM numbers")
    assert (1,) == unread.fetchone()
    connection.close()
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    other.execute("DELETE FROM numbers")
    assert [] == other.execute("SELECT n FROM numbers").fetchall()
    other.close()


def test_a_connection_can_be_closed_twice(tmp_path):
    connection = sqlite3.connect(tmp_path / "sessions.db", **wait_while_locked(lambda: 1))
    kept = connection.execute("SELECT 1")
    connection.close()
    connection.close()
    del kept
