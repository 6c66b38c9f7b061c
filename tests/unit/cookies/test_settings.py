import pytest

from sessionkit import ConfigurationError, CookieSettings
from sessionkit._cookies.header import only, pairs
from sessionkit._cookies.settings import insert_label


@pytest.mark.parametrize(
    ("settings", "attributes"),
    [
        ({}, "; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High"),
        ({"secure": False}, "; Path=/; HttpOnly; SameSite=Lax; Priority=High"),
        ({"http_only": False, "priority": None}, "; Path=/; Secure; SameSite=Lax"),
        (
            {"path": "/app", "domain": "example.org"},
            "; Path=/app; Domain=example.org; HttpOnly; Secure; SameSite=Lax; Priority=High",
        ),
        (
            {"same_site": "None", "partitioned": True},
            "; Path=/; HttpOnly; Secure; SameSite=None; Priority=High; Partitioned",
        ),
        (
            {"same_site": "Strict", "priority": "Low"},
            "; Path=/; HttpOnly; Secure; SameSite=Strict; Priority=Low",
        ),
        ({"priority": "Medium"}, "; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=Medium"),
    ],
)
def test_a_line_has_the_attributes_of_the_settings_and_a_clearing_line_the_same(
    settings, attributes
):
    cookie = CookieSettings(**settings)
    assert f"name=value; Max-Age=60{attributes}" == cookie.line("name", "value", 60)
    assert f"name=; Max-Age=0{attributes}" == cookie.clearing("name")


def test_a_transient_cookie_has_no_age_but_its_clearing_has():
    cookie = CookieSettings(transient=True)
    assert "Max-Age" not in cookie.line("name", "value", 60)
    assert "; Max-Age=0;" in cookie.clearing("name")


def test_without_an_age_a_line_has_none():
    assert "Max-Age" not in CookieSettings().line("name", "value", None)


def test_the_fence_is_http_only_and_of_high_priority_and_never_transient():
    cookie = CookieSettings(
        http_only=False, priority="Low", transient=True, path="/a", partitioned=True
    )
    expected = "f=v; Max-Age=9; Path=/a; HttpOnly; Secure; SameSite=Lax; Priority=High; Partitioned"
    assert expected == cookie.fence_line("f", "v", 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "__Host-a", "domain": "example.org"}, "__Host- name with a domain"),
        ({"name": "__Host-a", "path": "/app"}, "__Host- name with a domain, or a path"),
        ({"name": "__Host-a", "secure": False}, "__Host- name without Secure"),
        ({"name": "__HOST-a", "secure": False}, "__Host- name without Secure"),
        ({"name": "__Secure-a", "secure": False}, "__Secure- name without Secure"),
        ({"name": "__Http-a", "http_only": False}, "__Http- name without HttpOnly"),
        ({"name": "__Host-Http-a", "http_only": False}, "__Host-Http- name without HttpOnly"),
        ({"name": "__Host-Http-a", "path": "/app"}, "__Host-Http- name with a domain"),
        ({"same_site": "None", "secure": False}, "SameSite=None without Secure"),
        ({"partitioned": True, "secure": False}, "Partitioned without Secure"),
        ({"name": ""}, "not a token"),
        ({"name": "a b"}, "not a token"),
        ({"name": "a=b"}, "not a token"),
        ({"name": "a;b"}, "not a token"),
        ({"name": "sessiön"}, "not a token"),
        ({"name": "session\n"}, "not a token"),
        ({"name": "a" * 257}, "not a token"),
        ({"name": "session.0"}, "ends like a chunk"),
        ({"name": "session.12"}, "ends like a chunk"),
        ({"name": "session__3"}, "ends like a chunk"),
        ({"name": "out.session"}, "choose another"),
        ({"name": "seen.session"}, "choose another"),
        ({"name": "__Host-out.session"}, "choose another"),
        ({"name": "__Secure-seen.session"}, "choose another"),
        ({"name": "__Host-"}, "choose another"),
        ({"path": "app"}, "path must begin with /"),
        ({"path": ""}, "path must begin with /"),
        ({"path": "/a;b"}, "path must begin with /"),
        ({"path": "/a\r\nSet-Cookie: x"}, "path must begin with /"),
        ({"path": "/ä"}, "path must begin with /"),
        ({"path": "/" + "a" * 1024}, "path must begin with /"),
        ({"domain": ""}, "must be a host name"),
        ({"domain": "https://example.org"}, "must be a host name"),
        ({"domain": "example.org:443"}, "must be a host name"),
        ({"domain": "example.org/"}, "must be a host name"),
        ({"domain": "example.org; Secure"}, "must be a host name"),
        ({"domain": "example.org\n"}, "must be a host name"),
        ({"same_site": "lax"}, "same_site must be"),
        ({"same_site": None}, "same_site must be"),
        ({"priority": "high"}, "priority must be"),
        ({"max_bytes": 511}, "max_bytes must be between 512 and 61440"),
        ({"max_bytes": 61_441}, "max_bytes must be between"),
    ],
)
def test_settings_that_a_browser_would_refuse_are_refused_at_construction(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        CookieSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "__Host-app"},
        {"name": "__Host-Http-app"},
        {"name": "__Secure-app", "domain": "example.org", "path": "/a"},
        {"name": "session0"},
        {"name": "session.v2a"},
        {"name": "session_1"},
        {"name": "outer.session"},
        {"name": "a" * 256},
        {"domain": ".example.org"},
        {"domain": "localhost", "secure": False},
        {"max_bytes": 512},
        {"max_bytes": 61_440},
        {"path": "/" + "a" * 1023},
    ],
)
def test_settings_that_a_browser_takes_are_taken(settings):
    assert CookieSettings(**settings) == CookieSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, True), ({"path": "/a"}, False), ({"domain": "a.b"}, False), ({"secure": False}, False)],
)
def test_a_host_name_needs_secure_the_root_and_no_domain(settings, expected):
    assert expected is CookieSettings(**settings).host_only


@pytest.mark.parametrize(
    ("name", "labelled"),
    [
        ("session", "out.session"),
        ("__Host-session", "__Host-out.session"),
        ("__Secure-authjs.session-token", "__Secure-out.authjs.session-token"),
        ("__Host-Http-a", "__Host-Http-out.a"),
        ("__host-session", "__host-out.session"),
        ("__session", "out.__session"),
    ],
)
def test_the_cookies_beside_a_session_have_a_label_after_the_prefix(name, labelled):
    assert labelled == insert_label(name, "out.")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("a=1", [("a", "1")]),
        ("a=1; a=2;a=3", [("a", "1"), ("a", "2"), ("a", "3")]),
        (" \ta\t =\t 1 \t;", [("a", "1")]),
        ("a=1=2==", [("a", "1=2==")]),
        ('a="1; a=2"', [("a", '"1'), ("a", '2"')]),
        ("a=%41+b", [("a", "%41+b")]),
        ("a", []),
        ("=a", []),
        ("a=", [("a", "")]),
        ("$Version=a; $Path=a", [("$Version", "a"), ("$Path", "a")]),
        ("A=a", [("A", "a")]),
        ("\u2000a=1", [("\u2000a", "1")]),
        ("\xa0a=1", [("\xa0a", "1")]),
        ("\x1ca=\x85 1\x0b", [("\x1ca", "\x85 1\x0b")]),
        ("a=1, a=2", [("a", "1, a=2")]),
        ("b=1; a=1", [("a", "1")]),
    ],
)
def test_a_cookie_header_is_split_at_semicolons_and_stripped_of_space_and_tab_only(
    header, expected
):
    assert expected == pairs(header, "a")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("__Host-q=1", "1"),
        ("a=b; __Host-q=1; c=d", "1"),
        ("a=b;\t__Host-q =\t1 ;c=d", "1"),
        ("__Host-q=", ""),
        ("__Host-q=1=2", "1=2"),
        ("", None),
        ("a=b", None),
        ("__Host-q", None),
        ("__Host-q=1; __Host-q=2", None),
        ("__Host-q=1; __Host-out.q=2", None),
        ("__Host-q=q", None),
        ("q=1", None),
        ("\u2000__Host-q=1", None),
        ("\xa0__Host-q=1", None),
        ("x__Host-q=1", None),
        ("a=__Host-q", None),
        ("__Host-q.0=1", None),
        ("__host-q=1", None),
    ],
)
def test_the_only_cookie_of_a_session_is_found_at_once_or_left_to_the_parser(header, expected):
    assert expected == only(header, "__Host-q", "q")
    if expected is not None:
        assert [("__Host-q", expected)] == pairs(header, "q")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", b"session"),
        ("path", None),
        ("domain", 1),
        ("secure", "yes"),
        ("http_only", None),
        ("max_bytes", "7168"),
        ("max_bytes", True),
    ],
)
def test_a_setting_of_another_type_is_named(key, value):
    with pytest.raises(
        ConfigurationError, match=f"^the cookie's {key} must be .*, not {type(value).__name__}$"
    ):
        CookieSettings(**{key: value})
