"""npm packages for a suite: those of the package-lock.json in a folder."""

from __future__ import annotations

import subprocess
from pathlib import Path


def install(folder: Path) -> None:
    """Run `npm ci` in a folder, unless it holds what its package-lock.json says; the flags are in its .npmrc."""
    installed, wanted = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-progress"], cwd=folder, check=True, timeout=600)
