"""Run the python blocks of a README, in order, in one namespace, as a user would paste them into `app.py`.

With `--with-checks` its invisible blocks run too: these send requests to what the visible ones have built.
Usage: python run_readme.py adapters/flask/README.md [--with-checks]
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from secrets import token_urlsafe
from types import ModuleType

BLOCK = re.compile(
    r"^```python\n(?P<visible>.*?)^```$|^<!-- invisible-code-block: python\n(?P<invisible>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)


def main(page: str, *options: str) -> None:
    """Run the page's blocks; raise what they raise."""
    text = Path(page).read_text(encoding="utf-8")
    os.environ["SESSIONKIT_SECRET"] = token_urlsafe(32)
    app = sys.modules["app"] = ModuleType("app")  # imported by a server, so no block starts one
    app.__file__ = page
    ran = 0
    for block in BLOCK.finditer(text):
        code = block["visible"]
        if code is None and "--with-checks" in options:
            code = block["invisible"]
        if code is None:
            continue
        line = text.count("\n", 0, block.start()) + 1
        exec(compile("\n" * line + code, page, "exec"), vars(app))
        ran += 1
    sys.stdout.write(f"{page}: {ran} blocks ran\n")
    if ran < 1 + ("--with-checks" in options):
        sys.exit("that is fewer than there must be")


if __name__ == "__main__":
    main(*sys.argv[1:])
