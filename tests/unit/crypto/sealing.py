"""Tokens, right and wrong."""

import os

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessionkit import JSON, KeyRing, Lifetime, Native, Stamp
from sessionkit._session.base64url import encode
from sessionkit._session.json import freeze

from ..scene import SECRET, START

NAME = "__Host-session"


STAMP = Stamp(
    id="AbCdEfGhIjKlMnOpQrSt-_", created_at=START - 500, updated_at=START, expires_at=START + 86_400
)


CONTENTS = {"user": {"sub": "alice"}, "text": "é 😀", "list": [1, 2.5, None, True]}


def codec(secret=SECRET, *, name=NAME, audience="", absolute=7 * 86_400, serializer=JSON):
    lifetime = Lifetime(absolute=absolute)
    return Native().codec(
        KeyRing(secret), name=name, audience=audience, lifetime=lifetime, serializer=serializer
    )


def sealed(contents=CONTENTS, stamp=STAMP, **settings):
    serializer = settings.get("serializer", JSON)
    return codec(**settings).seal(freeze(contents, serializer), stamp)


def header_text(**changes):
    fields = {
        "alg": '"dir"', "enc": '"A256GCM"', "kid": f'"{KeyRing(SECRET).ids[0]}.{START // 3600}"', "sid": f'"{STAMP.id}"',
        "iat": str(STAMP.created_at), "uat": str(STAMP.updated_at), "exp": str(STAMP.expires_at),
    } | changes  # fmt: skip
    return "{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}"


def under_header(header, payload=b'{"a":1}', *, uat=START):
    """A token with a right tag under whatever header text."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    first, nonce = encode(header.encode()), os.urandom(12)
    key = HKDF(
        algorithm=SHA256(),
        length=32,
        salt=b"sessionkit",
        info=b"\0".join(
            (b"sessionkit/1", b"cookie", NAME.encode(), b"", str(uat // 3600).encode())
        ),
    )
    cipher = AESGCM(key.derive(SECRET.encode())).encrypt(nonce, payload, first)
    return b".".join(
        (first, b"", encode(nonce), encode(cipher[:-16]), encode(cipher[-16:]))
    ).decode()
