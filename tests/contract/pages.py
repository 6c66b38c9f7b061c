"""Runs the Python examples of pages, in order and in one namespace a page: `python tests/contract/pages.py PAGE…`.

A block in a comment (`<!-- invisible-code-block: python`) runs too and checks what the page has just claimed.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path
from types import ModuleType

BLOCK = re.compile(
    r"^```python\n(.*?)^```$|^<!-- invisible-code-block: python\n(.*?)^-->$",
    re.DOTALL | re.MULTILINE,
)


def names_of(page: Path) -> dict[str, object]:
    """Run a page; returns what it has defined."""
    text = page.read_text()
    module = sys.modules["page"] = ModuleType(
        "page"
    )  # some frameworks look for the module of their caller
    namespace: dict[str, object] = vars(module)
    for block in BLOCK.finditer(text):
        code = block[1] if block[1] is not None else block[2]
        above = text.count("\n", 0, block.start()) + 1
        exec(compile("\n" * above + code, str(page), "exec"), namespace)
    return namespace


if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.path[:] = [one for one in sys.path if one != here]
    for name in sys.argv[1:]:
        os.environ["SESSIONKIT_SECRET"] = secrets.token_urlsafe(32)
        names_of(Path(name))
        print(len(BLOCK.findall(Path(name).read_text())), name)
