"""Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from .interface import Engine, EngineError, Tab, Window

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


class ChromiumTab(Tab):
    def __init__(self, page: Page) -> None:
        self.page = page

    def goto(self, path: str) -> None:
        self.page.goto(path)

    def back(self) -> None:
        self.page.go_back()

    def evaluate(self, expression: str) -> Any:
        try:
            return self.page.evaluate(expression)
        except Error as error:
            raise EngineError(error.message) from error


class ChromiumWindow(Window):
    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints = []

    def open_tab(self) -> ChromiumTab:
        page = self.context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        return ChromiumTab(page)

    def cookies(self) -> list[dict[str, Any]]:
        return [dict(cookie) for cookie in self.context.cookies()]

    def close(self) -> None:
        self.context.close()


class Chromium(Engine):
    name = "chromium"

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def open_window(self, url: str) -> ChromiumWindow:
        return ChromiumWindow(self.browser.new_context(base_url=url, ignore_https_errors=True))


@contextmanager
def open_chromium() -> Iterator[Chromium]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield Chromium(browser)
        browser.close()
