import pytest

from sessionkit import safe_return_to

REFUSED = [
    "//e", "///e", "/\\e", "\\/e", "\\\\e", "/%09/e", "/\t/e", "/\n/e", "\t//e", " //e", "\0//e", "/ /e", "https://e", "https:e", "https:/e",
    "http:///e", "HTTPS:e", "javascript:alert(1)", "data:text/html,x", "e.com", "@e", "?x", "#x", ".", "..//e", "/.//e", "/..//e", "/a/..//e",
    "/%2e//e", "/%2f/e", "/%2Fe", "/%5ce", "/%5Ce", "/%0d%0aX:", "/x?y=%0d%0aZ", "/x?y=%0A", "/x#%0D", "/\uff0f", "/\u2028", "/\u3002e", "\uff0fe",
    "", "/" + "a" * 3000, b"/a", None, 7, ["/a"], "//e/..", "/a//b", "/.", "/..", "/a/.", "/a/..", "/./a", "/a/../b", "/%2E/a", "/%2e%2e/a",
    "/%7f", "/%00", "/%1F", "/a b", "/a\x7f", "/é", "/a\n", "\n/a", "/a\\b", "/a?b\\c",
]  # fmt: skip


@pytest.mark.parametrize("value", REFUSED)
def test_what_could_leave_the_site_is_refused(value):
    assert safe_return_to(value, "/default") == "/default"


@pytest.mark.parametrize(
    "value",
    [
        "/", "/a", "/a/", "/a/b.c", "/a/.hidden", "/a/...", "/a..b", "/a?x=1&y=2", "/a?u=https://e", "/a?u=//e", "/a?u=%2f%2e", "/a#//x", "/a#..",
        "/a;b=c", "/a@b", "/a:b", "/%20", "/%25", "/%C3%A9", "/%252e", "/?x", "/#x", "/" + "a" * 2047, "/a?b?c#d#e", "/a%3Fb",
    ],
)  # fmt: skip
def test_a_path_of_the_site_is_returned_as_it_is(value):
    assert value == safe_return_to(value, "/default")


def test_the_default_is_the_root():
    assert safe_return_to("//e") == "/"


def test_nothing_longer_than_2048_characters_is_taken():
    assert safe_return_to("/" + "a" * 2048) == "/"
