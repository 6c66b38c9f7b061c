"""The list of a user's sessions and the buttons of the demo, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..._management.listing import SessionInfo

__all__ = ["render_button", "render_sessions"]


def render_button(path: str, label: str, verb: str) -> str:
    """Return a form with one button, as HTML, which names the verb that it calls."""
    return f'    <form method="post" action="/{path}"><button id="{path}">{label}<small>{verb}</small></button></form>'


def render_sessions(sessions: Sequence[SessionInfo], now: int) -> str:
    """Return the list of a user's sessions, with a button for each.

    Args:
        sessions: the sessions, from `sessions_of`.
        now: seconds since the epoch.
    """
    items = "\n".join(_render_session(info, now) for info in sessions)
    return f"""<section class="card sessions" aria-labelledby="all">
  <h2 id="all">Where you are signed in <span class="sum" id="count">{len(sessions)}</span></h2>
  <ul>
{items}
  </ul>
  <div class="buttons">
{render_button("sign-out-others", "Sign out the others", "revoke_user, keep_current")}
{render_button("sign-out-everywhere", "Sign out everywhere", "revoke_user")}
{render_button("late", "Write too late", "an update after a logout")}
  </div>
  <p class="hint">Open this address in a private window, sign in with the same name, and reload this page: it lists both. What you end
  here is signed out there, at its next request.</p>
</section>"""


def _render_session(info: SessionInfo, now: int) -> str:
    place = "this browser" if info.is_current else "another browser"
    note = escape(str(info.contents.get("note", "")))
    handle = escape(info.handle)
    return f"""    <li><div><b>{place}</b> <span class="tag">{max(0, now - info.created_at)} s old</span>
      <p class="hint">{note}</p></div>
      <form method="post" action="/sign-out-one"><input type="hidden" name="handle" value="{handle}">
        <button>Sign out</button></form></li>"""
