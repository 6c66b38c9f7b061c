"""The one table of what the engines do differently; `test_habits.py` asks each engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Habits:
    """The habits of an engine.

    Attributes:
        secure_over_http: whether it keeps a Secure cookie that comes over plain http from this machine.
        longest_days: to how many days it cuts a longer Max-Age; None if it does not cut.
        clears_cookies: whether `Clear-Site-Data: "cookies"` removes the cookies of a site.
        keeps_pages: whether it shows a `private` page as it was when the visitor goes back after a logout, whether or not the
            logout (a redirect) sent `Clear-Site-Data: "cache"`. Chromium does so too, but Playwright switches that off.
        partitions: whether an iframe of another site may set a Partitioned cookie with SameSite=None.
    """

    secure_over_http: bool
    longest_days: int | None
    clears_cookies: bool
    keeps_pages: bool
    partitions: bool


HABITS = {
    "chromium": Habits(
        secure_over_http=True,
        longest_days=400,
        clears_cookies=True,
        keeps_pages=False,
        partitions=True,
    ),
    "firefox": Habits(
        secure_over_http=True,
        longest_days=400,
        clears_cookies=True,
        keeps_pages=True,
        partitions=True,
    ),
    "webkit": Habits(
        secure_over_http=False,
        longest_days=None,
        clears_cookies=False,
        keeps_pages=True,
        partitions=False,
    ),
}
