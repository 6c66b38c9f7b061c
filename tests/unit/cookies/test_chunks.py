import pytest

from sessionkit import Absence
from sessionkit._cookies.chunks import Layout, chunk_number, join, rows, spans, split_name

TOKEN = "h" * 20 + ".." + "n" * 16 + "." + "c" * 59 + "." + "t" * 22


def lines(parts, line):
    """The room that each part takes of its line."""
    return [len(name) + 1 + stop - start for name, start, stop in parts] <= [line] * len(parts)


def cut(text, *sizes):
    found, start = {}, 0
    for number, size in enumerate(sizes):
        found[number] = [text[start : start + size]]
        start += size
    return found


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, [("session", 0, 0)]),
        (92, [("session", 0, 92)]),
        (93, [("session.0", 0, 90), ("session.1", 90, 93)]),
        (180, [("session.0", 0, 90), ("session.1", 90, 180)]),
        (181, [("session.0", 0, 90), ("session.1", 90, 180), ("session.2", 180, 181)]),
    ],
)
def test_a_token_fills_the_lines_to_the_last_byte(length, expected):
    assert expected == spans(length, "session", Layout(), 100)


def test_a_chunk_with_a_longer_number_holds_one_less():
    assert spans(2000, "session", Layout(), 100)[9:11] == [
        ("session.9", 810, 900),
        ("session.10", 900, 989),
    ]


def test_alike_chunks_hold_what_the_first_holds_and_the_single_cookie_too():
    layout = Layout(alike=True)
    assert spans(90, "session", layout, 100) == [("session", 0, 90)]
    assert spans(91, "session", layout, 100) == [("session.0", 0, 90), ("session.1", 90, 91)]
    assert {stop - start for _, start, stop in spans(1800, "session", layout, 100)} == {90}


def test_a_fixed_size_holds_for_the_single_cookie_and_the_chunks():
    layout = Layout(separator="__", size=35)
    assert spans(35, "session", layout, 4096) == [("session", 0, 35)]
    assert spans(36, "session", layout, 4096) == [("session__0", 0, 35), ("session__1", 35, 36)]


@pytest.mark.parametrize("length", [0, 10])
def test_a_numbered_layout_numbers_a_single_cookie_too(length):
    assert spans(length, "s", Layout(separator="_", numbered=True), 100) == [("s_0", 0, length)]


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("10", 10), ("9999", 9999)])
def test_a_canonical_decimal_is_a_chunk_number(text, number):
    assert number == chunk_number(text)


@pytest.mark.parametrize(
    "text", ["", "00", "01", "-1", "+1", "1.0", " 1", "1 ", "x", "10000", "١", "²", "1_0", "0x1"]
)
def test_anything_else_is_not(text):
    assert chunk_number(text) is None


@pytest.mark.parametrize(
    "sizes",
    [
        (len(TOKEN),),
        (50, 71),
        (1, 120),
        (121, 0),
        (120, 1),
        (20, 1, 1, 99),
        (98, 1, 22),
        (0, 121),
        (60, 0, 61),
    ],
)
def test_a_row_of_chunks_is_the_token_whatever_the_cuts(sizes):
    assert TOKEN == join(cut(TOKEN, *sizes), 0, Layout())


def test_what_follows_a_complete_token_is_stale():
    chunks = cut(TOKEN, 60, 61)
    assert TOKEN == join({**chunks, 2: ["stale"], 3: ["..."]}, 0, Layout())


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_gap_is_not_joined_up(missing):
    chunks = cut(TOKEN, 40, 40, 41)
    del chunks[missing]
    assert join(chunks, 0, Layout()) is Absence.INCOMPLETE


@pytest.mark.parametrize(
    "chunks",
    [
        {0: [TOKEN + "x"]},
        {0: [TOKEN[:-1]], 1: ["xx"]},
        {0: ["....."]},
        {0: ["a.b.c.d.e.f"]},
        {0: ["...."], 1: ["."]},
    ],
)
def test_a_row_that_overshoots_a_token_is_malformed(chunks):
    assert join(chunks, 0, Layout()) is Absence.MALFORMED


def test_the_tag_of_another_cipher_is_longer():
    token = TOKEN + "t" * 21
    assert token == join(cut(token, 80, 62), 0, Layout(tag=43))


def test_a_doubled_name_makes_rows_in_header_order():
    other = TOKEN.replace("c", "d")
    first, second = cut(TOKEN, 60, 61), cut(other, 60, 61)
    chunks = {number: [*first[number], *second[number]] for number in first}
    assert rows(chunks) == 2
    assert [TOKEN, other] == [join(chunks, row, Layout()) for row in range(2)]


def test_a_rarer_name_gives_its_last_value():
    chunks = {0: [TOKEN[:60]], 1: ["x", TOKEN[60:]]}
    assert rows(chunks) == 2
    assert TOKEN == join(chunks, 1, Layout())


def test_no_chunks_make_no_rows():
    assert rows({}) == 0


@pytest.mark.parametrize(
    ("name", "separator", "expected"),
    [
        ("session.0", ".", ("session", 0)),
        ("a.b__12", "__", ("a.b", 12)),
        ("session", ".", ("session", None)),
        ("session.", ".", ("session.", None)),
        ("session.01", ".", ("session.01", None)),
        ("session_1", ".", ("session_1", None)),
        (".1", ".", (".1", None)),
        ("1", ".", ("1", None)),
        ("", ".", ("", None)),
    ],
)
def test_a_name_is_split_into_the_session_and_the_number_of_the_chunk(name, separator, expected):
    assert split_name(name, separator) == expected
