"""Canonical base64url without padding (RFC 4648 section 5, RFC 7515 section 2)."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

__all__ = ["FROM_URL", "LAST", "TOKEN_ALPHABET", "decode", "encode", "is_canonical", "is_token"]

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TOKEN_ALPHABET = ALPHABET + b"."

FROM_URL = bytes.maketrans(b"-_", b"+/")

# By the length of a text modulo 4, the characters that it may end with. The last character of a group of two or
# three carries four or two bits that must be zero: otherwise several texts would decode to the same bytes.
LAST = (ALPHABET, b"", b"AQgw", ALPHABET[::4])


def encode(data: bytes) -> bytes:
    """Encode bytes, without padding."""
    # Of two kilobytes, two calls of `replace` take half the time of one `translate`.
    return b2a_base64(data, newline=False).replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=")


def decode(text: bytes) -> bytes:
    """Decode text that `is_token` and `is_canonical` have passed."""
    return a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + b"==")


def is_token(text: bytes) -> bool:
    """Return whether a text consists of the alphabet and dots."""
    return not text.translate(None, TOKEN_ALPHABET)


def is_canonical(text: bytes) -> bool:
    """Return whether a text of the alphabet is the only one that decodes to its bytes."""
    return not text or text[-1] in LAST[len(text) % 4]
