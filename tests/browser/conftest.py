"""Chromium, and a visitor of the site that a module serves."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)

pytest.register_assert_rewrite("walk")  # what failed is shown in full, as in a test module

from walk import Clock, Gate, Visitor  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()  # a test that failed leaves nobody waiting


@pytest.fixture
def visitor(chromium: Browser, url: str) -> Iterator[Visitor]:
    context = chromium.new_context(base_url=url)
    visitor = Visitor(context=context, tab=context.new_page())
    context.on("response", lambda response: visitor.responses.append(response))  # noqa: PLW0108  # Playwright marks the function
    yield visitor
    context.close()
