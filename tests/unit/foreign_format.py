"""A format as somebody else would write it: no id of ours in its mark, no renewal cookie, chunks of a fixed size."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessionkit import Absence
from sessionkit.formats import BaseCodec, BaseFormat, Layout, Opened, Times, Traits

TOKEN = re.compile(r"plain\.([A-Za-z0-9_=-]{40,})\.")


class PlainCodec(BaseCodec):
    """AES-GCM over contents and times; a session is known by its user and its creation time."""

    def __init__(self, secrets, serializer):
        super().__init__(secrets, serializer)
        self._ciphers = [AESGCM(sha256(one).digest()) for one in secrets.raw]

    def mark_id(self, contents, stamp):
        return f"{stamp.created_at}\0{contents['user']['sub']}"

    def payload(self, contents, stamp):
        times = [stamp.created_at, stamp.updated_at, stamp.expires_at, stamp.ends_at]
        return {"id": stamp.id, "times": times, "contents": contents}

    def seal(self, plaintext, stamp):
        nonce = os.urandom(12)
        sealed = nonce + self._ciphers[0].encrypt(nonce, plaintext, None)
        return f"plain.{urlsafe_b64encode(sealed).decode()}."

    def open(self, token, now):
        found = TOKEN.fullmatch(token)
        if found is None:
            return Absence.MALFORMED
        sealed = urlsafe_b64decode(found[1])
        for cipher in self._ciphers:
            try:
                payload = self.parse(cipher.decrypt(sealed[:12], sealed[12:], None))
            except InvalidTag:
                continue
            return self._read(payload, now)
        return Absence.BAD_TAG

    def _read(self, payload, now):
        stamp = Times(*payload["times"]).stamp(payload["id"], now)
        if isinstance(stamp, Absence):
            return stamp
        contents = payload["contents"]
        return Opened(contents, stamp, self.mark_id(contents, stamp))


def is_complete(tail):
    return tail.endswith(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain(BaseFormat):
    traits = Traits(label="plain", title="Plain", priority="High")
    layout = Layout(separator="__", size=3500, complete=is_complete)
    usual_name = "plain"

    def recognizes(self, text):
        return text.startswith("plain.")

    def codec(self, keys, *, name, audience, lifetime, serializer):
        return PlainCodec(keys, serializer)
