"""PostgreSQL holds the rules of a backend, with each driver."""

from sql_servers import postgresql

from sessionkit.backends import AsyncSQLBackend, SQLBackend
from sessionkit.testing import backend_conformance

PLACE = lambda: ("127.0.0.1", postgresql().port)  # noqa: E731


def blocking(*, clock):
    return SQLBackend(postgresql().url("psycopg"), clock=clock)


def blocking_at(host, port, *, clock):
    return SQLBackend(postgresql().url("psycopg", port), clock=clock)


def awaited(*, clock):
    return AsyncSQLBackend(postgresql().url("psycopg"), clock=clock)


def awaited_at(host, port, *, clock):
    return AsyncSQLBackend(postgresql().url("psycopg", port), clock=clock)


def of_asyncpg(*, clock):
    return AsyncSQLBackend(postgresql().url("asyncpg"), clock=clock)


def of_asyncpg_at(host, port, *, clock):
    return AsyncSQLBackend(postgresql().url("asyncpg", port), clock=clock)


TestPsycopg = backend_conformance(blocking, make_second=blocking, make_at=blocking_at, server=PLACE)
TestAsyncPsycopg = backend_conformance(
    awaited, make_second=awaited, make_at=awaited_at, server=PLACE
)
TestAsyncpg = backend_conformance(
    of_asyncpg, make_second=of_asyncpg, make_at=of_asyncpg_at, server=PLACE
)
