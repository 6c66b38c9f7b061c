"""Read a request's cookies: open the tokens, check the fence, the barrier and every expiry, and choose the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeAlias

from .._cookies import barrier, chunks, fence, renewal
from .._cookies.barrier import Barrier
from .._cookies.header import HEADER, only, pairs
from .._crypto.records import Pointer
from .._crypto.sealing import Opened
from .._session.session import Absence, Stamp
from .candidates import (
    MOST_CHUNKS,
    MOST_ROWS,
    MOST_WHOLE,
    UNREADABLE,
    Allowance,
    choose_furthest,
    open_candidates,
)
from .conversion import CheckedConversion, import_token
from .expiry import judge_stamp
from .settings import BoundImporter, Settings
from .update_guard import have_same_owner

__all__ = [
    "NO_COOKIES",
    "ImporterCookies",
    "RequestCookies",
    "collect_values",
    "cut_header",
    "judge_token",
    "read_cookies",
    "read_values",
]


def _make_empty() -> Mapping[str, Sequence[str]]:
    return {}


@dataclass(slots=True, kw_only=True)
class RequestCookies:
    """The result of reading a request's cookies: the session in them, or the reason why there is none.

    Attributes:
        by_name: the values of each cookie that may be ours.
        token: the token that gives the session; None without one.
        stamp: the times of that session, renewals included.
        absence: the reason why there is no session.
        fence: the marks that were read from the fence.
        barrier: the barrier, if the request has an authentic one.
        tokens: the tokens that opened, one for each session.
        beside: the names of numbered cookies that end with the session.
        read_importers: returns the cookies that the importers know. They are read when it is first called.
        importer: the importer that imported the session.
        partial: whether the header was too long, or had too many cookies, to be read completely.
        unnamed: whether the request may contain a session without a readable id, so that it has no mark.
        is_single: whether the session came in one cookie, and no other cookie of ours came with it.
        pointers: the authentic pointers to records; they are not in `by_name`.
    """

    by_name: Mapping[str, Sequence[str]] = field(default_factory=_make_empty, repr=False)
    token: Opened | None = None
    stamp: Stamp | None = None
    absence: Absence | None = None
    fence: tuple[str, ...] = ()
    barrier: Barrier | None = None
    tokens: tuple[Opened, ...] = field(default=(), repr=False)
    beside: tuple[str, ...] = ()
    read_importers: Callable[[], ImporterCookies] = field(default=tuple, repr=False)
    importer: BoundImporter | None = field(default=None, repr=False)
    partial: bool = False
    unnamed: bool = False
    is_single: bool = False
    pointers: tuple[Pointer, ...] = ()

    def may_hold_session(self, settings: Settings) -> bool:
        """Return whether there is a cookie that may hold a session."""
        return (
            self.partial
            or bool(self.list_names(settings))
            or any(
                cookies.list_names(importer.settings) for importer, cookies in self.read_importers()
            )
        )

    def list_names(self, settings: Settings) -> tuple[str, ...]:
        """Return the names of the session's own cookies, stale chunks included."""
        by_name, chunk = self.by_name, settings.chunk
        whole = (settings.name,) if self.pointers or settings.name in by_name else ()
        numbers = sorted(_iterate_chunk_numbers(by_name, chunk))
        return (*whole, *(f"{chunk}{number}" for number in numbers))

    def ends(self, settings: Settings, mark_id: str, created_at: int) -> bool:
        """Return whether the fence has the session's mark, or the barrier ends it."""
        mark = fence.mark(settings.name, mark_id)
        if mark in self.fence:
            return True
        return self.barrier is not None and self.barrier.ends(mark, created_at)

    def list_heads(self, settings: Settings) -> tuple[str, ...]:
        """Return the texts that tokens begin with: whole cookies, then first chunks."""
        whole = self.by_name.get(settings.name, ())
        first = self.by_name.get(f"{settings.chunk}0", ())
        return (*whole[:MOST_WHOLE], *first[:MOST_ROWS])

    def list_marks(self, settings: Settings) -> tuple[str, ...]:
        """Return the marks of all sessions whose tokens are in the request, the authenticated ones first.

        A token that does not open here may open in another worker, which has its key. The mark of such a token is made from an
        id that is not authenticated. This is safe, because a mark can only refuse a session.
        """
        authenticated = [token.mark_id for token in self.tokens]
        if settings.importers:
            # The cookie from which a session was imported may come back, and would give a session with the same id.
            authenticated.extend(pointer.stamp.id for pointer in self.pointers)
        for importer, cookies in self.read_importers():
            imported = (_convert_for_mark(settings, importer, token) for token in cookies.tokens)
            authenticated.extend(token.mark_id for token in imported if isinstance(token, Opened))
        peeked = (settings.codec.peek(head) for head in self.list_heads(settings))
        mark_ids = dict.fromkeys(
            (*authenticated, *(mark_id for mark_id in peeked if mark_id is not None))
        )
        return tuple(fence.mark(settings.name, mark_id) for mark_id in mark_ids)


def _convert_for_mark(
    settings: Settings, importer: BoundImporter, token: Opened
) -> Opened | Absence:
    """Return another library's token as a session of ours, to compute its mark.

    A login or a logout must not fail because the application's `convert` fails for another cookie. If it fails, the mark is made
    from the contents as they came; our own format does not use the contents for a mark.
    """
    now = settings.clock()
    try:
        return import_token(settings, importer, token, now)
    except Exception:  # noqa: BLE001  # the application's function may raise anything
        return import_token(settings, _without_convert(importer), token, now)


def _without_convert(importer: BoundImporter) -> BoundImporter:
    """Return an importer that does not call the application's `convert`."""
    if importer.newer is not None:
        return replace(importer, newer=_without_convert(importer.newer))
    return replace(importer, convert=CheckedConversion(None))


NO_COOKIES: Final = RequestCookies(absence=Absence.NO_COOKIE)
"""The result for most requests. It can be shared, because no code changes a result of `read_cookies`."""

ImporterCookies: TypeAlias = Sequence[tuple[BoundImporter, RequestCookies]]


def read_cookies(
    settings: Settings, header: str, now: float, allowance: Allowance | None = None
) -> RequestCookies:
    """Read the cookies of a store from a Cookie header; never raise, whatever is in it.

    Args:
        settings: the store's settings.
        header: the Cookie header, decoded as latin-1.
        now: seconds since the epoch.
        allowance: the tokens and bytes that may be opened, shared with the importers of the same request; None for
            all that one request allows.
    """
    if settings.stem not in header:
        return NO_COOKIES
    if len(header) > HEADER:
        return _read_beginning(settings, header, now, allowance or Allowance())
    text = only(header, settings.name, settings.stem)
    if text is not None and (allowance is None or allowance.spend((text,))):
        # The most frequent request has one cookie of ours, and needs none of the collections of `_read_many`.
        by_name: Mapping[str, Sequence[str]] = {settings.name: (text,)}
        token = settings.codec.open(text, now)
        if isinstance(token, Absence):
            cookies = RequestCookies(absence=token, by_name=by_name)
            cookies.unnamed = token in UNREADABLE and _is_unnamed(settings, cookies)
            return cookies
        stamp = judge_stamp(settings, token.stamp, now)
        if isinstance(stamp, Absence):
            return RequestCookies(absence=stamp, by_name=by_name, tokens=(token,))
        return RequestCookies(
            token=token, stamp=stamp, by_name=by_name, tokens=(token,), is_single=True
        )
    return read_values(settings, collect_values(settings, header), now, allowance or Allowance())


def cut_header(header: str) -> str:
    """Return the part of a Cookie header that is read: the complete cookies in its first 64 KiB."""
    return header if len(header) <= HEADER else header[: max(0, header.rfind(";", 0, HEADER + 1))]


def _read_beginning(
    settings: Settings, header: str, now: float, allowance: Allowance
) -> RequestCookies:
    """Read the beginning of a header that is too long. It gives no session, but a logout must know the marks in it."""
    values = collect_values(settings, cut_header(header))
    cookies = read_values(settings, values, now, allowance)
    cookies.token, cookies.stamp = None, None
    cookies.absence, cookies.partial = Absence.TOO_LARGE, True
    return cookies


def _is_unnamed(settings: Settings, cookies: RequestCookies) -> bool:
    """Return whether there is a cookie from which no session id can be read."""
    heads, peek = cookies.list_heads(settings), settings.codec.peek
    return not heads or any(
        settings.format.recognizes(head) and peek(head) is None for head in heads
    )


def read_values(
    settings: Settings, by_name: dict[str, list[str]], now: float, allowance: Allowance
) -> RequestCookies:
    """Read several cookies: whole tokens, chunks, the fence, the barrier and renewals."""
    fence_values = by_name.get(settings.fence, ())
    cookies = RequestCookies(by_name=by_name, fence=fence.read(fence_values))
    if settings.barrier in by_name:
        cookies.barrier = barrier.read(
            settings.barrier_keys, by_name[settings.barrier], fence_values
        )
    result = open_candidates(settings, by_name, now, allowance)
    if result is None:
        cookies.absence, cookies.partial = Absence.TOO_LARGE, True
        return cookies
    tokens, worst, maybe_session = result
    cookies.tokens = tuple(tokens.values())
    if not cookies.list_heads(settings) and any(
        _iterate_chunk_numbers(islice(by_name, MOST_CHUNKS), settings.chunk)
    ):
        # There are chunks, and none of them is the first.
        worst, maybe_session = Absence.INCOMPLETE, True
    cookies.unnamed = maybe_session and _is_unnamed(settings, cookies)
    valid: list[tuple[Opened, Stamp]] = []
    for token in tokens.values():
        verdict = judge_token(settings, token, by_name.get(settings.seen, ()), cookies, now)
        if isinstance(verdict, Absence):
            worst = choose_furthest(worst, verdict)
        else:
            valid.append((token, verdict))
    choice = _choose_session(settings, valid)
    if isinstance(choice, Absence):
        cookies.absence = choose_furthest(worst, choice)
    else:
        cookies.token, cookies.stamp = choice
    return cookies


def collect_values(settings: Settings, header: str) -> dict[str, list[str]]:
    """Return the values of each cookie that may be ours, in the order of the header."""
    by_name: dict[str, list[str]] = {}
    for name, value in pairs(header, settings.stem):
        if name in by_name:
            by_name[name].append(value)
        else:
            by_name[name] = [value]
    return by_name


def _iterate_chunk_numbers(names: Iterable[str], chunk: str) -> Iterator[int]:
    """Yield the number of each chunk among cookie names."""
    for name in names:
        number = chunks.chunk_number(name[len(chunk) :]) if name.startswith(chunk) else None
        if number is not None:
            yield number


def judge_token(
    settings: Settings, token: Opened, seen: Sequence[str], cookies: RequestCookies, now: float
) -> Stamp | Absence:
    """Check whether the session of an authenticated token has ended or expired, by the cookies that came with it.

    Args:
        settings: the store's settings. Their limits apply if they are stricter than the stamp.
        token: the token.
        seen: the values of the renewal cookie.
        cookies: the fence and the barrier that came with the token.
        now: seconds since the epoch.

    Returns:
        The session's stamp, with the newest renewal; or the reason why the token gives no session.
    """
    stamp = token.stamp
    is_fenced = cookies.fence or cookies.barrier is not None
    if is_fenced and cookies.ends(settings, token.mark_id, stamp.created_at):
        return Absence.LOGGED_OUT
    if seen and settings.codec.seen is not None:
        sealed = renewal.Renewal(stamp.updated_at, stamp.expires_at)
        newest = renewal.latest(settings.codec.seen, seen, stamp.id, sealed, now)
        if newest is not sealed:
            stamp = replace(stamp, updated_at=newest.updated_at, expires_at=newest.expires_at)
    return judge_stamp(settings, stamp, now)


def _choose_session(
    settings: Settings, valid: list[tuple[Opened, Stamp]]
) -> tuple[Opened, Stamp] | Absence:
    """Return the session of the request: the newest of one user.

    Tokens of several users are ambiguous and give no session: an attacker may have planted one of them.
    """
    if len(valid) > 1:
        # An anonymous token never competes with an authenticated one.
        valid = _select_signed_in(settings, valid) or valid
    if len(valid) > 1:
        if not have_same_owner(settings, [token.contents for token, _ in valid]):
            return Absence.AMBIGUOUS
        return max(valid, key=_rank_by_age)
    return valid[0] if valid else Absence.NO_COOKIE


def _select_signed_in(
    settings: Settings, valid: list[tuple[Opened, Stamp]]
) -> list[tuple[Opened, Stamp]]:
    """Return the tokens that pass the guard; none if the guard raises an error for one of them, so that they stay ambiguous.

    The guard may be the application's, and the contents may be those of another library, not converted yet.
    """
    try:
        return [pair for pair in valid if settings.guard(pair[0].contents)]
    except Exception:  # noqa: BLE001  # a cookie raises nothing here
        return []


def _rank_by_age(pair: tuple[Opened, Stamp]) -> tuple[int, int]:
    """Return the times in the token, which no renewal moves, for finding the newest token."""
    stamp = pair[0].stamp
    return stamp.updated_at, stamp.created_at
