"""The page of the demo: its data, and its HTML. Every value is escaped where it is put in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

from ..._cookies.settings import LINE
from ..._crypto.records import Pointer
from ..._exchange.settings import Settings
from ..._management.listing import SessionInfo
from ..._session.session import Session
from ..inspection import find_role
from .journal import Entry, Journal, Line
from .remarks import explain
from .sessions import render_button, render_sessions

__all__ = ["Sight", "render"]

STYLE = files(__name__.rpartition(".")[0]).joinpath("page.css").read_text("utf-8")

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http%3A//www.w3.org/2000/svg' viewBox='0 0 9 9'%3E"
    "%3Ccircle cx='4.5' cy='4.5' r='4' fill='%230b6b53'/%3E%3C/svg%3E"
)
"""A green dot. Without an icon in the page, browsers ask for /favicon.ico, and Firefox reports that the policy forbids it."""

SHOWN = 96
"""The characters of a long value that are shown."""

KINDS = ("session", "chunk", "pointer")
"""The roles of cookies that make a session."""

LEGEND = """
  <p class="hint token first"><b>header</b>.<b></b>.<b>nonce</b>.<b>contents, encrypted</b>.<b>tag</b></p>
  <p class="hint">The header can be read: key, session id and times. The tag is a checksum over all of it. Only the server can compute it,
  so nobody else can change anything.</p>"""

POINTER_LEGEND = """
  <p class="hint token first"><b>header</b>.<b></b>.<b>nonce</b>.<b>pointer, encrypted</b>.<b>tag</b></p>
  <p class="hint">It points to a record on the server, and holds nothing else. The record is encrypted too. The tag is a checksum
  that only the server can compute.</p>"""

MEANINGS = {
    "fence": "The fence: the marks of sessions that have ended in this browser. If a late response brings one of them back, it is refused.",
    "barrier": "The barrier: every session that began before this time has ended.",
    "seen": "The last renewal: it moves the idle expiry, and holds nothing of the session.",
}
"""The explanations of the small cookies beside a session, by role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The data of one view of the page.

    `idle` and `absolute` are the seconds that are left; `cookies` came with the request, each as (role, name, value);
    `events` are those of the request. `backend` names the backend, if there is one, and `sessions` are the user's.
    """

    session: dict[str, Any] | None
    sid: str
    idle: int
    idle_of: int
    absolute: int
    absolute_of: int
    cookies: list[tuple[str, str, str]]
    max_bytes: int
    events: list[str]
    entries: list[Entry]
    now: int
    backend: str | None
    sessions: list[SessionInfo] = field(default_factory=list[SessionInfo])

    @property
    def left(self) -> int | None:
        """Seconds until the session ends; None when there is none."""
        return None if self.session is None else max(0, min(self.idle, self.absolute))

    @classmethod
    def of(
        cls,
        settings: Settings,
        session: Session | None,
        cookies: Iterable[tuple[str, str]],
        journal: Journal,
    ) -> Sight:
        """Return the data for a request."""
        lifetime, stamp = settings.lifetime, session.stamp if session is not None else None
        now, idle_of, absolute_of = (
            int(settings.clock()),
            lifetime.idle or 0,
            lifetime.absolute or 0,
        )
        created = stamp.created_at if stamp is not None else now
        updated = stamp.updated_at if stamp is not None else now
        if lifetime.due(created, updated, now):
            updated = now  # the response renews the session
        held = [
            ("pointer" if _is_pointer(settings, value) else part, name, value)
            for name, value in cookies
            if (part := find_role(settings, name)) is not None
        ]
        return cls(
            session=dict(session) if session is not None else None,
            sid=stamp.id if stamp is not None else "",
            idle=updated + idle_of - now,
            idle_of=idle_of,
            absolute=created + absolute_of - now,
            absolute_of=absolute_of,
            cookies=sorted(held, key=lambda one: (one[0] in ("seen", "fence"), one[1])),
            max_bytes=settings.cookie.max_bytes,
            events=journal.events,
            entries=journal.entries,
            now=now,
            backend=None if settings.backend is None else type(settings.backend).__name__,
        )


def _is_pointer(settings: Settings, value: str) -> bool:
    if settings.records is None:
        return False
    return isinstance(settings.records.open_pointer(value, settings.clock()), Pointer)


def render(sight: Sight) -> str:
    """Return the page as HTML."""
    title = "Signed in" if sight.session is not None else "Signed out"
    main = (
        _render_signed_out(sight)
        if sight.session is None
        else _render_signed_in(sight, sight.session)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · sessionkit demo</title>
<link rel="icon" href="{ICON}">
<style>{STYLE}</style>
</head>
<body>
<header class="top">
  <p class="mark"><span aria-hidden="true"></span>sessionkit</p>
  <p class="badge">This is a demo, on this machine only</p>
</header>
<main>
{"".join(map(_render_event, sight.events))}
{main}
{_render_responses(sight.entries)}
</main>
<footer>
  <p>A demo: there is no password, the secret was made when it started and is gone when it stops,
  and the cookies are not <code>Secure</code>, since this is plain http. The page has no script; it counts in CSS.</p>
</footer>
</body>
</html>
"""


COOKIE_HERO = """  <h1>A session that lives <em>in the cookie.</em></h1>
  <p class="lead">Encrypted and authenticated, with two time limits that the server enforces. No server keeps anything.
  Sign in and watch what the browser is given.</p>"""

SERVER_HERO = """  <h1>A session that lives <em>on the server.</em></h1>
  <p class="lead">The cookie is a sealed pointer, and the session is in <code>{}</code>, encrypted. So it can be listed, and ended
  from another device. Sign in here and in a private window, with the same name.</p>"""


def _render_event(event: str) -> str:
    why = explain(event)
    meaning = f'<p class="hint">{escape(why)}</p>' if why else ""
    shown = escape(event[:1].upper() + event[1:])
    return f'<div role="status"><p class="event now">{shown}.</p>{meaning}</div>'


def _render_signed_out(sight: Sight) -> str:
    return f"""<section class="hero">
{COOKIE_HERO if sight.backend is None else SERVER_HERO.format(escape(sight.backend))}
  <form class="card enter" method="post" action="/sign-in">
    <label for="name">Your name, any name</label>
    <div class="row"><input id="name" name="name" maxlength="80" placeholder="Ada" autocomplete="off">
    <button class="primary">Sign in</button></div>
    <p class="hint"><code>create_session({{"user": …}})</code></p>
  </form>
</section>
{_render_cookies(sight)}"""


def _render_signed_in(sight: Sight, session: dict[str, Any]) -> str:
    name = escape(str(session["user"]["name"]))
    note = escape(str(session.get("note", "")))
    return f"""<section class="hero in">
  <h1>Hello, <em>{name}.</em></h1>
  <p class="lead">Session <code id="sid">{escape(sight.sid)}</code></p>
</section>
{"" if sight.backend is None else render_sessions(sight.sessions, sight.now)}
<section class="clocks" aria-label="Expiries">
{_render_clock("Idle", "moves when you reload, save or touch", sight.idle, sight.idle_of)}
{_render_clock("Absolute", "the end, whatever you do", sight.absolute, sight.absolute_of)}
</section>
<div class="pair">
<div>
<section class="card acts" aria-labelledby="acts">
  <h2 id="acts">Change the session</h2>
  <form class="row" method="post" action="/note">
    <label for="note">Note</label>
    <input id="note" name="note" maxlength="200" value="{note}" autocomplete="off">
    <button class="primary">Save</button>
  </form>
  <div class="buttons">
{render_button("grow", "Grow", "update_session")}
{render_button("shrink", "Shrink", "update_session")}
{render_button("touch", "Touch", "touch_session")}
{render_button("rotate", "Rotate", "rotate_session")}
{render_button("tamper", "Forge it", "an attack")}
{render_button("sign-out", "Sign out", "delete_session")}
  </div>
</section>
<section class="card" aria-labelledby="reads">
  <h2 id="reads">What the server reads</h2>
  <pre id="contents">{_render_json(session)}</pre>
</section>
</div>
{_render_cookies(sight)}
</div>"""


def _render_clock(name: str, meaning: str, left: int, whole: int) -> str:
    left = max(0, left)
    style = f"--from:{left};--of:{whole};--steps:{max(1, left)}"
    return f"""  <div class="card clock" style="{style}">
    <h2>{name}</h2>
    <p class="time"><span class="digits" aria-hidden="true"></span><span class="spoken">{left} seconds left of {whole}</span></p>
    <div class="bar"><i></i></div>
    <p class="hint">{meaning}</p>
  </div>"""


def _render_json(session: dict[str, Any]) -> str:
    shown = {
        key: _shorten(value) if isinstance(value, str) else value for key, value in session.items()
    }
    return escape(json.dumps(shown, indent=2, ensure_ascii=False))


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN * 2 else f"{text[:40]}… ({len(text):,} characters)"


def _render_cookies(sight: Sight) -> str:
    if not sight.cookies:
        items = '<p class="empty">No cookie of the demo came with this request.</p>'
    else:
        items = "\n".join(_render_cookie(kind, name, value) for kind, name, value in sight.cookies)
        kinds = {kind for kind, _, _ in sight.cookies}
        if "pointer" in kinds:
            items += POINTER_LEGEND
        elif not kinds.isdisjoint(KINDS):
            items += LEGEND
    used = sum(
        len(name) + 1 + len(value) + 2 for kind, name, value in sight.cookies if kind in KINDS
    )
    return f"""<section class="card" aria-labelledby="holds">
  <h2 id="holds">What the browser holds <span class="sum" id="used">{used:,} of {sight.max_bytes:,} bytes</span></h2>
  {items}
</section>"""


def _render_cookie(kind: str, name: str, value: str) -> str:
    size = len(name) + 1 + len(value)
    share = min(100, round(100 * size / LINE))
    first = (
        " first"
        if kind in ("session", "pointer") or (kind == "chunk" and name.endswith(".0"))
        else ""
    )
    meaning = f'<p class="hint">{MEANINGS[kind]}</p>' if kind in MEANINGS else ""
    return f"""<article class="cookie {kind}{first}">
    <h3><code>{escape(name)}</code><span class="tag">{kind}</span><span class="size">{size:,} bytes</span></h3>
    <div class="bar"><i style="--share:{share}%"></i></div>
    <p class="token">{_render_value(kind, value)}</p>{meaning}
  </article>"""


def _render_value(kind: str, value: str) -> str:
    """Return the parts of a token in colours, long ones shortened."""
    if kind not in KINDS:
        return escape(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")
    parts = (
        f"<b>{escape(part if len(part) <= SHOWN else part[:SHOWN] + '…')}</b>"
        for part in value.split(".")
    )
    return ".<wbr>".join(parts)


def _render_responses(entries: Sequence[Entry]) -> str:
    if entries:
        shown = "<ol>" + "\n".join(map(_render_entry, entries)) + "</ol>"
    else:
        shown = '<p class="empty">Nothing yet. A page that only reads sets no cookie.</p>'
    return f"""<section class="card journal" aria-labelledby="responses">
  <h2 id="responses">The last responses of the server</h2>
  {shown}
</section>"""


def _render_entry(entry: Entry) -> str:
    events = "".join(f'<p class="event">{escape(event)}</p>' for event in entry.events)
    remark = f'<p class="remark">{escape(entry.remark)}</p>' if entry.remark else ""
    lines = "".join(map(_render_line, entry.lines))
    nothing = '<p class="hint">no Set-Cookie</p>' if not entry.lines else ""
    return f"""<li>
    <p class="what"><code>{escape(entry.method)} {escape(entry.path)}</code> <span class="tag">{entry.status}</span></p>
    {remark}{events}{nothing}<ul>{lines}</ul>
  </li>"""


def _render_line(line: Line) -> str:
    what = "cleared" if line.clears else f"{line.size:,} bytes, Max-Age {escape(line.age or '-')}"
    kind = "cleared" if line.clears else "set"
    return f'<li class="{kind}"><code>{escape(line.name)}</code> <span>{what}</span></li>'
