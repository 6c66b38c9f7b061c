"""The jar that the properties are tried in behaves like a browser's."""

from __future__ import annotations

import pytest

from .jar import Jar

NOW = 1_700_000_000.0


class At:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def test_a_cookie_is_known_by_name_domain_and_path_and_keeps_its_place_when_it_is_replaced() -> (
    None
):
    jar = Jar("www.example.org", At())
    for line in (
        "a=1; Path=/",
        "b=2; Path=/",
        "a=3; Path=/",
        "a=4; Path=/; Domain=example.org",
        "a=5; Path=/deep",
    ):
        jar.store(line)
    assert (jar.header(), jar.header(path="/deep/er")) == ("a=3; b=2; a=4", "a=5; a=3; b=2; a=4")


def test_a_cookie_is_gone_from_the_moment_its_max_age_is_over() -> None:
    clock = At()
    jar = Jar("www.example.org", clock)
    jar.store("a=1; Max-Age=10")
    clock.now += 9.5
    before = jar.header()
    clock.now += 0.5
    assert (before, jar.header()) == ("a=1", "")


def test_a_max_age_of_zero_clears_the_cookie_of_the_same_key_only() -> None:
    jar = Jar("www.example.org", At())
    jar.store("a=1; Path=/")
    jar.store("a=2; Path=/; Domain=example.org")
    jar.store("a=; Path=/; Max-Age=0")
    assert jar.header() == "a=2"


def test_a_life_is_cut_to_four_hundred_days() -> None:
    clock = At()
    jar = Jar("www.example.org", clock)
    jar.store("a=1; Max-Age=99999999999")
    clock.now += 400 * 86_400
    assert jar.header() == ""


def test_closing_the_browser_forgets_the_cookies_without_an_expiry() -> None:
    jar = Jar("www.example.org", At())
    jar.store("a=1")
    jar.store("b=2; Max-Age=60")
    jar.close()
    assert jar.header() == "b=2"


@pytest.mark.parametrize(
    ("line", "host", "scheme", "taken"),
    [
        ("__Host-a=1; Path=/; Secure", "www.example.org", "https", True),
        ("__Host-a=1; Path=/; Secure; Domain=example.org", "www.example.org", "https", False),
        ("__host-a=1; Path=/; Secure; Domain=example.org", "www.example.org", "https", False),
        ("__Host-a=1; Path=/x; Secure", "www.example.org", "https", False),
        ("__Host-a=1; Secure", "www.example.org", "https", False),
        ("__Host-a=1; Path=/", "www.example.org", "https", False),
        ("__Secure-a=1; Path=/", "www.example.org", "https", False),
        ("__Secure-a=1; Path=/; Secure; Domain=example.org", "evil.example.org", "https", True),
        ("__Http-a=1; Path=/; Secure", "www.example.org", "https", False),
        ("__Host-Http-a=1; Path=/; Secure", "www.example.org", "https", False),
        ("a=1; Secure", "www.example.org", "http", False),
        ("a=1; SameSite=None", "www.example.org", "https", False),
        ("a=1; Partitioned", "www.example.org", "https", False),
        ("a=1; Domain=org", "www.example.org", "https", False),
        ("a=1; Domain=example.org", "evil.example.net", "https", False),
        ("a=1; Domain=.EXAMPLE.org", "www.example.org", "https", True),
        ("=1; Path=/", "www.example.org", "https", False),
        ("a=" + "v" * 4095, "www.example.org", "https", True),
        ("a=" + "v" * 4096, "www.example.org", "https", False),
        ("a=1\r\nb=2", "www.example.org", "https", False),
    ],
)
def test_a_line_is_taken_or_refused_as_the_standard_says(
    line: str, host: str, scheme: str, taken: bool
) -> None:
    jar = Jar("www.example.org", At())
    assert (jar.store(line, host=host, scheme=scheme), len(jar.cookies())) == (taken, int(taken))


def test_a_secure_cookie_is_not_sent_over_plain_http_nor_a_host_cookie_to_another_host() -> None:
    jar = Jar("www.example.org", At())
    jar.store("a=1; Secure")
    jar.store("b=2; Domain=example.org")
    assert (
        jar.header(scheme="http"),
        jar.header(host="blog.example.org"),
        jar.header(host="example.net"),
    ) == ("b=2", "b=2", "")
