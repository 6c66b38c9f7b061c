"""Cookies of other libraries, and a store that imports them."""

import hmac
import json
from base64 import urlsafe_b64encode

from sessionkit import SessionStore, anyone
from sessionkit.formats import Auth0V3, FlaskCookie, Importer

from ..scene import Scene, cookie
from .golden import VECTORS

PYTHON = json.loads((VECTORS / "python.json").read_text())


OLD = PYTHON[0]["secret"]


JS = "a secret that JavaScript has too, for tests only"


NOW = 1_700_000_000


FLASK = next(one["cookie"] for one in PYTHON if one["source"] == "flask")


DJANGO_STAMP = next(one["cookie"] for one in PYTHON if one["source"] == "django").split(":")[1]


USER = {"user": {"sub": "alice", "sid": "op"}}


def scene(*importers, **settings):
    return Scene(
        accept=importers or (Importer(FlaskCookie(), secret=OLD, until=None),),
        **{"guard": anyone, **settings},
    )


def put(where, header):
    for piece in header.split("; "):
        where.browser.jar.receive([f"{piece}; Path=/; Secure"])


def v3_cookie(clock, session=USER, **settings):
    store = SessionStore(JS, format=Auth0V3(), clock=clock, **settings)
    with store.exchange() as exchange:
        store.create_session(session)
    return f"appSession={cookie([line for _, line in exchange.response_headers], 'appSession')}"


def flask_signed(payload, secret=OLD, at=NOW):
    covered = payload + "." + urlsafe_b64encode(at.to_bytes(4, "big")).rstrip(b"=").decode()
    key = hmac.digest(secret.encode(), b"cookie-session", "sha1")
    return (
        covered
        + "."
        + urlsafe_b64encode(hmac.digest(key, covered.encode(), "sha1")).rstrip(b"=").decode()
    )


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def iron_seal(payload, *, ends="", password="p" * 32, blocks=None, salts=("aa", "bb")):
    from hashlib import pbkdf2_hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    padded = (
        payload + bytes([16 - len(payload) % 16]) * (16 - len(payload) % 16)
        if blocks is None
        else blocks
    )
    key = pbkdf2_hmac("sha1", password.encode(), salts[0].encode(), 1, 32)
    engine = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    covered = f"Fe26.2*1*{salts[0]}*{b64(bytes(16))}*{b64(engine.update(padded) + engine.finalize()) if padded else 'AA'}*{ends}"
    mac = hmac.digest(
        pbkdf2_hmac("sha1", password.encode(), salts[1].encode(), 1, 32), covered.encode(), "sha256"
    )
    return f"{covered}*{salts[1]}*{b64(mac)}~2"
