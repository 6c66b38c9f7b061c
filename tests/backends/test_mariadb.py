"""MariaDB holds the rules of a backend, with each driver."""

from sql_servers import mariadb

from sessionkit.backends import AsyncSQLBackend, SQLBackend
from sessionkit.testing import backend_conformance

PLACE = lambda: ("127.0.0.1", mariadb().port)  # noqa: E731


def blocking(*, clock):
    return SQLBackend(mariadb().url("pymysql"), clock=clock)


def blocking_at(host, port, *, clock):
    return SQLBackend(mariadb().url("pymysql", port), clock=clock)


def of_asyncmy(*, clock):
    return AsyncSQLBackend(mariadb().url("asyncmy"), clock=clock)


def of_asyncmy_at(host, port, *, clock):
    return AsyncSQLBackend(mariadb().url("asyncmy", port), clock=clock)


TestPyMySQL = backend_conformance(blocking, make_second=blocking, make_at=blocking_at, server=PLACE)
TestAsyncmy = backend_conformance(
    of_asyncmy, make_second=of_asyncmy, make_at=of_asyncmy_at, server=PLACE
)
