"""Check what a build of the pages does not: complete tables, links to other files, blocks that nothing would run."""

from __future__ import annotations

import ast
import builtins
import inspect
import logging
import re
from dataclasses import fields
from pathlib import Path

import sessionkit
from sessionkit import Absence, CookieSettings, EventKind, Lifetime, adapters, formats
from sessionkit._environment import VARIABLES
from sessionkit._session.events import _LEVELS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts),
]


def rows(page: str, beginning: str = "| `") -> list[list[str]]:
    """Return the cells of a page's table rows."""
    lines = (DOCS / page).read_text().splitlines()
    return [
        [cell.strip(" `") for cell in line.strip("|").split(" | ")]
        for line in lines
        if line.startswith(beginning)
    ]


def test_every_public_name_stands_in_the_reference() -> None:
    pages = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    documented = set(re.findall(r"(?:auto\w+|py:data):: sessionkit\.([\w.]+)", pages))
    assert (
        sorted(
            {
                *sessionkit.__all__,
                *(f"adapters.{name}" for name in adapters.__all__),
                *(f"formats.{name}" for name in formats.__all__ if name != "Native"),
            }
            - documented
        )
        == []
    )


def test_every_public_name_has_a_docstring() -> None:
    values = {"JSON"}  # of which Python keeps no docstring
    assert [
        name
        for name in sessionkit.__all__
        if name not in values and not inspect.getdoc(getattr(sessionkit, name))
    ] == []


def test_every_absence_has_its_row() -> None:
    assert [row[0] for row in rows("reference/sessions.md")] == [one.name for one in Absence]


def test_every_event_and_every_refusal_has_its_row() -> None:
    page = (DOCS / "how-to/log-and-monitor.md").read_text()
    silent = {"NO_COOKIE"}  # the page says so below its table
    names = [
        *(kind.name for kind in EventKind),
        *(one.name for one in Absence if one.name not in silent),
    ]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_event_that_is_logged_above_debug_has_its_level_on_the_page() -> None:
    page = (DOCS / "how-to/log-and-monitor.md").read_text()
    said = {
        name: level
        for level, line in re.findall(r"^- `(WARNING|INFO)`: (.*)", page, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", line)
    }
    kinds = {one: level for one, level in _LEVELS.items() if isinstance(one, EventKind)}
    assert said == {kind.name: logging.getLevelName(level) for kind, level in kinds.items()}


def test_every_variable_has_its_row_in_order() -> None:
    assert [
        row[0] for row in rows("how-to/settings-from-the-environment.md", "| `SESSIONKIT_")
    ] == list(VARIABLES)


def test_the_table_of_variables_says_the_real_defaults() -> None:
    said = {
        row[1]: row[3] for row in rows("how-to/settings-from-the-environment.md", "| `SESSIONKIT_")
    }
    words: dict[object, str] = {True: "yes", False: "no", None: "none"}
    cookie = CookieSettings()
    real = {
        f"CookieSettings.{one.name}": getattr(cookie, one.name)
        for one in fields(CookieSettings)
        if one.init and one.name != "name"
    }
    real |= {"Lifetime.absolute": Lifetime().absolute, "Lifetime.rolling": Lifetime().rolling}
    spelled = {
        key: words[value] if value is None or isinstance(value, bool) else str(value)
        for key, value in real.items()
    }
    assert {key: said[key] for key in real} == spelled


def test_the_table_of_variables_says_the_defaults_that_depend_on_others() -> None:
    said = {
        row[1]: row[3] for row in rows("how-to/settings-from-the-environment.md", "| `SESSIONKIT_")
    }
    assert said["Lifetime.idle"] == f"{Lifetime().idle}, or `absolute` if shorter"
    short = 30
    assert Lifetime(absolute=short).idle == short
    assert said["Lifetime.renew_after"] == f"{Lifetime().renew_after}, or half of `idle` if shorter"
    assert Lifetime(idle=short).renew_after == short // 2


def test_no_python_or_shell_session_stands_in_a_block_that_is_not_run() -> None:
    languages = {
        (page.name, language)
        for page in PAGES
        for language in re.findall(r"^ *`{3,}([a-z0-9{}-]+)", page.read_text(), re.MULTILINE)
    }
    assert [
        one
        for one in sorted(languages)
        if one[1] in ("py", "python3", "pycon", "bash", "shell") or "code" in one[1]
    ] == []


NAMES_OF_THE_READER = {
    "links-in-mails.md": {"save_confirmed", "hash_password"},
    "proxies-and-caches.md": {"browser"},
    "testing.md": {"MyBackend"},
}
"""The names that a page's text explains: functions and classes of the reader's own."""


def test_what_a_reader_sees_defines_every_name_that_it_uses() -> None:
    undefined = {page.name: find_undefined_names(page) for page in PAGES}
    assert {page: names for page, names in undefined.items() if names} == NAMES_OF_THE_READER


def find_undefined_names(page: Path) -> set[str]:
    """Return the names that the visible Python of a page uses, and that none of it defines or imports."""
    visible = re.sub("<!--.*?-->", "", page.read_text(), flags=re.DOTALL)
    blocks = re.findall(r"^```python\n(.*?)^```", visible, re.MULTILINE | re.DOTALL)
    used, defined = set[str](), set(dir(builtins)) | {"__name__", "__file__"}
    for block in blocks:
        typed = re.findall(r"^(?:>>>|\.\.\.) ?(.*)", block, re.MULTILINE)
        code = "\n".join(typed) if block.startswith(">>>") else block
        for node in ast.walk(ast.parse(code)):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    used.add(name)
                case ast.Name(id=name):
                    defined.add(name)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    defined.add(node.name)
                case ast.arg():
                    defined.add(node.arg)
                case ast.alias():
                    defined.add((node.asname or node.name).partition(".")[0])
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                    defined.add(name)
    return used - defined


def test_a_page_is_plain_markdown_that_any_site_renders() -> None:
    only_sphinx = re.compile(r"^(?:`{3,}\{|:{3}|% |: ).*|\{[a-z:]+\}`", re.MULTILINE)
    pages = [page for page in PAGES if page.parent.name != "reference"]
    assert [
        (page.name, found) for page in pages for found in only_sphinx.findall(page.read_text())
    ] == []


def test_the_pages_about_openid_providers_say_the_same_about_the_traps() -> None:
    pages = [page.read_text() for page in (DOCS / "how-to").glob("sign-in-with-openid-*.md")]
    traps = {page.partition("## Traps")[2].partition("\n## ")[0] for page in pages}
    assert len(traps) == 1
    assert "" not in traps


def test_the_links_of_the_pages_above_this_folder_lead_somewhere() -> None:
    broken: list[tuple[str, str, str]] = []
    for page in ROOT.glob("*.md"):
        for target, anchor in re.findall(
            r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text()
        ):
            file = ROOT / target if target else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append((page.name, target, anchor))
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
