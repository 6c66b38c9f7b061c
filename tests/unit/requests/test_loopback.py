import pytest

from sessionkit._exchange.request import is_loopback


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "app.localhost",
        "127.0.0.1",
        "127.9.8.7:80",
        "[::1]",
        "[::1]:8000",
    ],
)
def test_names_and_addresses_of_this_machine_are_loopback(host: str) -> None:
    assert is_loopback(host) is True


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "example.org",
        "127.example.org",
        "127.0.0.1.example.org",
        "localhost.example.org",
        "notlocalhost",
        "10.0.0.1",
        "[::2]:80",
        "0.0.0.0",
    ],
)
def test_a_name_that_only_looks_like_it_is_not(host: str | None) -> None:
    assert is_loopback(host) is False
