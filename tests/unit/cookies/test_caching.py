import json

import pytest

from sessionkit._cookies.caching import UNCHANGED, HeaderChanges, header_changes, is_shared

LINE = "session=token; Path=/"
CDN = [
    "CDN-Cache-Control",
    "Cloudflare-CDN-Cache-Control",
    "Vercel-CDN-Cache-Control",
    "Surrogate-Control",
    "X-Accel-Expires",
]


def after(headers, *, lines=(), present=True):
    return header_changes(headers, list(lines), present=present).applied(headers)


@pytest.mark.parametrize(
    "name", ["Cache-Control", "cache-control", "Expires", *CDN, "x-other-cache-control"]
)
def test_with_a_set_cookie_every_field_that_lets_a_cache_keep_it_is_removed(name):
    assert after([(name, "public, max-age=600"), ("X-Own", "1")], lines=[LINE]) == [
        ("X-Own", "1"), ("Set-Cookie", LINE), ("Vary", "Cookie"), ("Cache-Control", "private, no-store"),
    ]  # fmt: skip


def test_several_cache_controls_become_one():
    found = after(
        [("Cache-Control", "public"), ("cache-control", "s-maxage=9"), ("Expires", "0")],
        lines=[LINE, LINE],
    )
    assert [value for name, value in found if name.lower() == "cache-control"] == [
        "private, no-store"
    ]
    assert [name for name, _ in found].count("Set-Cookie") == 2


@pytest.mark.parametrize(
    "headers",
    [
        [("Cache-Control", "no-cache, no-transform")],
        [("cache-control", "No-Transform")],
        [("Cache-Control", "public"), ("CACHE-CONTROL", "no-transform, max-age=9")],
        [("Cache-Control", "no-transform"), ("Cache-Control", "no-transform,no-cache")],
        [("CDN-Cache-Control", "max-age=9, no-transform")],
    ],
)
def test_no_transform_says_nothing_about_caching_and_stays(headers):
    found = after(headers, lines=[LINE])
    assert [value for name, value in found if "cache-control" in name.lower()] == [
        "private, no-store, no-transform"
    ]


@pytest.mark.parametrize("before", [[], [("Vary", "Accept")]])
def test_a_page_whose_application_said_no_transform_alone_is_private_and_says_it_still(before):
    headers = [*before, ("cache-control", "no-transform"), ("Cache-Control", "No-Transform")]
    found = dict(after(headers))
    assert found == {
        "Vary": "Accept, Cookie" if before else "Cookie",
        "Cache-Control": "private, no-transform",
    }
    assert [one for one in after(headers, present=False) if one[0] != "Vary"] == headers[-2:]


@pytest.mark.parametrize("said", [("Cache-Control", "no-cache"), ("Expires", "0")])
def test_beside_no_transform_what_the_application_said_about_caching_stays(said):
    headers = [("Cache-Control", "no-transform"), said]
    assert after(headers) == [*headers, ("Vary", "Cookie")]


def test_no_transform_inside_of_quotes_is_no_directive():
    found = after([("Cache-Control", 'no-cache="Set-Cookie, no-transform"')], lines=[LINE])
    assert ("Cache-Control", "private, no-store") in found


def test_a_surrogate_goes_on_to_process_what_it_is_told_to_and_stores_nothing():
    found = after(
        [
            ("Surrogate-Control", 'max-age=60, content="ESI/1.0, ESI-Inline/1.0"'),
            ("surrogate-control", 'content="X/1.0";abc'),
        ],
        lines=[LINE],
    )
    assert [value for name, value in found if name.lower() == "surrogate-control"] == [
        'no-store, content="ESI/1.0, ESI-Inline/1.0", content="X/1.0";abc'
    ]


def test_the_applications_own_cookies_stay():
    assert ("Set-Cookie", "theme=dark") in after([("Set-Cookie", "theme=dark")], lines=[LINE])


@pytest.mark.parametrize(
    "headers",
    [[("Cache-Control", "max-age=60")], [("cache-control", "no-cache")], [("Expires", "0")]],
)
def test_without_a_set_cookie_what_the_application_said_stays(headers):
    assert [*headers, ("Vary", "Cookie")] == after(headers)


def test_a_session_that_was_there_keeps_shared_caches_out_when_the_application_said_nothing():
    assert after([]) == [("Vary", "Cookie"), ("Cache-Control", "private")]


@pytest.mark.parametrize("name", CDN)
def test_a_field_for_a_cdn_alone_says_nothing_to_the_other_caches(name):
    assert after([(name, "max-age=60")]) == [
        (name, "max-age=60"),
        ("Vary", "Cookie"),
        ("Cache-Control", "private"),
    ]


def test_a_look_that_found_no_session_makes_the_answer_vary_and_no_more():
    assert after([], present=False) == [("Vary", "Cookie")]


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        (["Accept-Encoding"], "Accept-Encoding, Cookie"),
        (["Accept-Encoding", "Origin"], "Accept-Encoding, Origin, Cookie"),
        (["Cookie"], "Cookie"),
        (["accept, COOKIE"], "accept, COOKIE"),
        (["*"], "*"),
        (["Accept, *"], "*"),
        ([""], "Cookie"),
    ],
)
def test_cookie_joins_vary_in_one_line_without_a_double(vary, expected):
    found = after([("vary", value) for value in vary], present=False)
    assert [("Vary", expected)] == found


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([("Cache-Control", "private, max-age=9")], False),
        ([("Cache-Control", "max-age=9")], False),
        ([("X-Note", "public")], False),
        ([("Cache-Control", "Public")], True),
        ([("cache-control", "max-age=9, s-maxage=9")], True),
        ([("Cache-Control", "no-cache"), ("Cache-Control", "public")], True),
        *[([(name, "x")], True) for name in CDN],
    ],
)
def test_a_response_for_shared_caches_is_known_by_what_the_application_said(headers, expected):
    assert is_shared(headers) is expected


def test_no_changes_change_nothing():
    assert UNCHANGED.applied([("A", "1")]) == [("A", "1")]
    assert HeaderChanges() == UNCHANGED


def test_the_repr_of_changes_shows_no_cookie():
    assert "token" not in repr(header_changes([], [LINE], present=True))


def test_changes_are_no_sequence_that_something_else_might_write_out() -> None:
    with pytest.raises(TypeError):
        json.dumps(HeaderChanges(add=(("Set-Cookie", "secret"),)))
    assert "secret" not in f"{HeaderChanges(add=(('Set-Cookie', 'secret'),))}"
