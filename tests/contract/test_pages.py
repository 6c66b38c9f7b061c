"""The pages about a framework are executed on that framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

pytestmark = pytest.mark.needs("page")


def test_every_example_of_the_pages_runs(served):
    pages = [ROOT / page for page in served.pages]
    done = subprocess.run(
        [sys.executable, str(HERE / "pages.py"), *map(str, pages)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    blocks = [int(line.split()[0]) for line in done.stdout.splitlines() if line.endswith(".md")]
    assert [count > 0 for count in blocks] == [True for _ in pages], done.stdout
