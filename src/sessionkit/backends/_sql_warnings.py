"""Warnings about settings of a database server that may lose the end of a session, and about its clock."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, text

__all__ = ["collect_warnings"]

_POSTGRESQL = text(
    "SELECT current_setting('synchronous_commit'), current_setting('fsync'), extract(epoch FROM clock_timestamp()),"
    " current_setting('synchronous_standby_names'), EXISTS (SELECT 1 FROM pg_stat_replication)"
)
_MYSQL = text("SELECT @@innodb_flush_log_at_trx_commit, @@sql_mode, UNIX_TIMESTAMP(NOW(6))")

_LOSES = "a crash may undo the last logouts"


def collect_warnings(connection: Connection, clock: Callable[[], float]) -> list[str]:
    """Return a sentence for each setting of the server that sessions should not rely on."""
    ask = _ASK[connection.dialect.name]
    return ask(connection, clock)


def _postgresql(connection: Connection, clock: Callable[[], float]) -> list[str]:
    commit, fsync, now, waits_for, has_standby = connection.execute(_POSTGRESQL).one()
    found = _clock_offset(float(now), clock())
    if commit == "off":
        found.append(
            f"PostgreSQL has synchronous_commit = off: {_LOSES}. Turn it on for the sessions' database."
        )
    if fsync == "off":
        found.append(f"PostgreSQL has fsync = off: {_LOSES}, or destroy the database. Turn it on.")
    if has_standby and not waits_for:
        found.append(
            "PostgreSQL has a standby that lags behind it: a failover may undo the last logouts. Name it in synchronous_standby_names."
        )
    return found


def _mysql(connection: Connection, clock: Callable[[], float]) -> list[str]:
    flush, mode, now = connection.execute(_MYSQL).one()
    found = _clock_offset(float(now), clock())
    if int(flush) != 1:
        found.append(
            f"the database server has innodb_flush_log_at_trx_commit = {int(flush)}: {_LOSES}. Set it to 1."
        )
    if "STRICT_" not in str(mode):
        found.append(
            "the database server is not in strict mode: it cuts values that are too long without an error. Add"
            " STRICT_TRANS_TABLES to sql_mode."
        )
    return found


def _sqlite(connection: Connection, clock: Callable[[], float]) -> list[str]:
    synchronous = int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
    if synchronous >= 2:  # FULL
        return []
    return [f"SQLite has synchronous = {synchronous}: {_LOSES}. Set it to FULL."]


def _clock_offset(server: float, ours: float) -> list[str]:
    offset = abs(server - ours)
    if offset <= 1:
        return []
    sentence = (
        f"the clocks of the database server and of this machine differ by {offset:.0f} seconds: run NTP on both. The times"
        " of logins and revocations, which several machines write, are compared."
    )
    return [sentence]


_ASK: dict[str, Callable[[Connection, Callable[[], float]], list[str]]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite": _sqlite,
}
