"""A format as somebody else would write it: no id of ours in its mark, no renewal cookie, chunks of a fixed size."""

from __future__ import annotations

from dataclasses import dataclass

from sessionkit import Absence
from sessionkit._cookies.chunks import Layout
from sessionkit._crypto.sealing import NativeCodec
from sessionkit.formats import Native


class PlainCodec(NativeCodec):
    """Tokens like ours; a session is known by its user and its creation time."""

    __slots__ = ()

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = None

    def mark_id(self, contents, stamp):
        return f"{stamp.created_at}\0{contents['user']['sub']}"

    def open(self, token, now):
        opened = super().open(token, now)
        if not isinstance(opened, Absence):
            opened.mark_id = self.mark_id(opened.contents, opened.stamp)
        return opened

    def peek(self, text):
        return None


@dataclass(frozen=True, kw_only=True)
class Plain(Native):
    @property
    def layout(self):
        return Layout(separator="__", size=3500)

    def cookie_name(self, *, host_only, secure):
        return "plain"

    def codec(self, keys, *, name, audience, lifetime, serializer):
        return PlainCodec(keys, name, audience, lifetime.absolute, serializer)
