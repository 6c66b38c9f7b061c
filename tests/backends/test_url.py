"""The clients that a URL makes. None connects before it is used."""

import pytest

from sessionkit import ConfigurationError, backends
from sessionkit.backends._url import open_backend


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://u:s3cret@localhost:6379/0", "RedisBackend"),
        ("rediss://localhost", "RedisBackend"),
        ("unix:///run/redis.sock", "RedisBackend"),
        ("redis+async://localhost", "AsyncRedisBackend"),
        ("postgresql+psycopg://u:s3cret@localhost/d", "SQLBackend"),
        ("mysql+pymysql://u:s3cret@localhost/d", "SQLBackend"),
        ("postgresql+asyncpg://u:s3cret@localhost/d", "AsyncSQLBackend"),
        ("postgresql+psycopg_async://u:s3cret@localhost/d", "AsyncSQLBackend"),
        ("mysql+asyncmy://u:s3cret@localhost/d", "AsyncSQLBackend"),
    ],
)
def test_a_url_makes_a_client(url, kind):
    assert type(open_backend(url)) is getattr(backends, kind)


@pytest.mark.parametrize(
    "scheme", ["redis", "redis+async", "postgresql+psycopg", "postgresql+asyncpg"]
)
def test_backends_of_one_url_are_equal(scheme):
    one, same, other = (open_backend(f"{scheme}://u:s3cret@localhost/{n}") for n in (1, 1, 2))
    assert (one, hash(one)) == (same, hash(same))
    assert one != other
    assert "s3cret" not in repr(one)


def test_a_prefix_or_another_class_is_another_place():
    url = "redis://localhost"
    assert backends.RedisBackend(url) != backends.RedisBackend(url, prefix="other")
    assert backends.RedisBackend(url) != backends.AsyncRedisBackend(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:s3cret@localhost:port",
        "redis+async://u:s3cret@localhost:port",
        "postgresql+psycopg://u:s3cret@localhost:port/d",
        "postgresql+nodriver://u:s3cret@localhost/d",
        "mysql+pymysql://s3cret:s3cret",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url):
    with pytest.raises(ConfigurationError) as failure:
        open_backend(url)
    assert "s3cret" not in str(failure.value)
