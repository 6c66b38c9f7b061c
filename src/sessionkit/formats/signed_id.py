"""The signed session ids that nextjs-auth0 and express-openid-connect use with a session store."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from .._crypto.keyring import check_secrets
from .._session.base64url import encode
from .._session.tracebacks import clears_frames
from ._claims import hkdf

__all__ = ["sign_id", "verify_id"]

# A JWS with an unencoded, detached payload (RFC 7797). Its header is always this one, so it is left out.
PROTECTED = encode(b'{"alg":"HS256","b64":false,"crit":["b64"]}')


@clears_frames
def sign_id(sid: str, *, name: str, secret: str | bytes | Sequence[str | bytes]) -> str:
    """Return a cookie value that holds a session id and its signature.

    Args:
        sid: the session id.
        name: the name of the cookie; the signature is bound to it.
        secret: one or several; the first signs.

    Returns:
        `sid.signature`.
    """
    return f"{sid}.{_signature(check_secrets(secret, shortest=8)[0], name, sid)}"


@clears_frames
def verify_id(value: str, *, name: str, secret: str | bytes | Sequence[str | bytes]) -> str | None:
    """Return the session id of a cookie value; None if its signature does not verify. No value raises an error.

    Args:
        value: the value of the cookie.
        name: the name of the cookie.
        secret: one or several; each is tried.
    """
    sid, dot, signature = value.rpartition(".")
    if not dot or not value.isascii():
        return None
    wanted = [_signature(one, name, sid) for one in check_secrets(secret, shortest=8)]
    return sid if any([hmac.compare_digest(signature, one) for one in wanted]) else None  # noqa: C419  # by all secrets, so that the time does not tell which one signed


def _signature(secret: bytes, name: str, sid: str) -> str:
    key = hkdf(secret, info="JWS Cookie Signing", length=32)
    return encode(hmac.digest(key, PROTECTED + f".{name}={sid}".encode(), "sha256")).decode()
