"""The backend that a URL names. The clients of Redis and SQL are made in `tests/backends`."""

import pytest

from sessionkit import ConfigurationError
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit.backends._url import open_backend, read_url


@pytest.mark.parametrize(
    ("url", "name", "argument"),
    [
        ("redis://h:6379/0", "RedisBackend", "redis://h:6379/0"),
        (
            "rediss://u:p@h/1?ssl_cert_reqs=none",
            "RedisBackend",
            "rediss://u:p@h/1?ssl_cert_reqs=none",
        ),
        ("unix:///run/redis.sock", "RedisBackend", "unix:///run/redis.sock"),
        ("redis+async://h", "AsyncRedisBackend", "redis://h"),
        ("rediss+async://:p@h", "AsyncRedisBackend", "rediss://:p@h"),
        ("unix+async:///run/redis.sock", "AsyncRedisBackend", "unix:///run/redis.sock"),
        ("postgresql+psycopg://u:p@h/d", "SQLBackend", "postgresql+psycopg://u:p@h/d"),
        ("mysql+pymysql://u@h/d", "SQLBackend", "mysql+pymysql://u@h/d"),
        ("mariadb+pymysql://u@h/d", "SQLBackend", "mariadb+pymysql://u@h/d"),
        ("sqlite+pysqlite:///a.db", "SQLBackend", "sqlite+pysqlite:///a.db"),
        ("postgresql+asyncpg://h/d", "AsyncSQLBackend", "postgresql+asyncpg://h/d"),
        ("postgresql+psycopg_async://h/d", "AsyncSQLBackend", "postgresql+psycopg://h/d"),
        ("mysql+asyncmy://h/d", "AsyncSQLBackend", "mysql+asyncmy://h/d"),
        ("mysql+aiomysql://h/d", "AsyncSQLBackend", "mysql+aiomysql://h/d"),
        ("sqlite+aiosqlite:///a.db", "AsyncSQLBackend", "sqlite+aiosqlite:///a.db"),
        ("PostgreSQL+psycopg://U:P@H/D", "SQLBackend", "postgresql+psycopg://U:P@H/D"),
        (" redis://h\n", "RedisBackend", "redis://h"),
        ("sqlite:///sessions.db", "SQLiteBackend", "sessions.db"),
        ("sqlite:////var/a%20b.db", "SQLiteBackend", "/var/a%20b.db"),
        ("sqlite:///C:/data/a.db", "SQLiteBackend", "C:/data/a.db"),
    ],
)
def test_a_url_names_a_backend(url, name, argument):
    assert read_url(url) == (name, (argument,))


@pytest.mark.parametrize("url", ["memory:", "memory://", "MEMORY:"])
def test_memory_needs_no_address(url):
    backend = open_backend(url, clock=lambda: 5)
    assert type(backend) is MemoryBackend
    assert backend._clock() == 5


def test_an_sqlite_url_opens_the_file_that_it_names(tmp_path):
    backend = open_backend(f"sqlite:///{tmp_path}/sessions.db", clock=lambda: 5)
    assert type(backend) is SQLiteBackend
    assert backend._path == tmp_path / "sessions.db"
    assert backend._clock() == 5


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(url):
    with pytest.raises(ConfigurationError, match=r"MemoryBackend\(\)"):
        open_backend(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "begins with its kind: memory:, sqlite:///sessions.db"),
        ("s3cret-as-a-name", "begins with its kind"),
        ("memory://s3cret", "memory: has no address"),
        ("sqlite:s3cret.db", "four before an absolute one"),
        ("sqlite:/s3cret.db", "four before an absolute one"),
        ("sqlite://s3cret.db", "four before an absolute one"),
        ("sqlite:///a.db?key=s3cret", r"SQLiteBackend\(path, synchronous="),
        ("redis+sentinel://u:s3cret@h", r"RedisBackend\(client\)"),
        ("redis+cluster://u:s3cret@h", r"RedisBackend\(client\)"),
        (
            "postgresql://u:s3cret@h/d",
            r"write postgresql\+psycopg:// or, for async, postgresql\+asyncpg://",
        ),
        ("postgres://u:s3cret@h/d", r"write postgresql\+psycopg://"),
        ("mysql://u:s3cret@h/d", r"write mysql\+pymysql://"),
        ("mariadb://u:s3cret@h/d", r"write mariadb\+pymysql://"),
        ("valkey://u:s3cret@h", "write redis://"),
        ("valkeys://u:s3cret@h", "write rediss://"),
        ("sqlite3:///s3cret.db", "write sqlite:///"),
        ("file:s3cret.db", "write sqlite:///"),
        ("mongodb://u:s3cret@h", "no such kind of backend. Write one of memory:"),
        ("u:s3cret@h", "no such kind of backend"),
        ("s3cret://h", "no such kind of backend"),
        ("oracle+oracledb://u:s3cret@h", "no such kind of backend"),
    ],
)
def test_other_urls_are_refused_without_showing_them(url, told):
    with pytest.raises(ConfigurationError, match=told) as failure:
        open_backend(url)
    assert "s3cret" not in str(failure.value)


def test_the_kinds_of_urls_can_be_read_in_a_terminal_of_any_encoding() -> None:
    with pytest.raises(ConfigurationError, match="redis://") as caught:
        read_url("postgres")
    assert str(caught.value).isascii()
