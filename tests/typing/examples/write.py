"""Write the Python examples of pages as modules, one a page, for mypy: write.py FOLDER PAGE...

A line of a module is the line of its page. Examples in comments are tests, and interactive ones show values: both are left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def make_module(page: str) -> str:
    """Return the examples of a page, each in its place."""
    module = ""
    for found in EXAMPLE.finditer(page):
        if ">>> " not in found[1]:
            module += "\n" * (page.count("\n", 0, found.start(1)) - module.count("\n")) + found[1]
    return module


def main(folder: Path, pages: list[str]) -> None:
    """Write a module for each page that has examples."""
    folder.mkdir(parents=True)
    for page in pages:
        module = make_module(Path(page).read_text())
        if module:
            name = re.sub(r"\W", "_", page.removesuffix(".md"))
            (folder / f"{name}.py").write_text(module)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
