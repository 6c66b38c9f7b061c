"""Formats: how a session becomes a token, and back. One file for each format; `_bases` helps to write another."""

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from ._bases import BaseCodec, BaseFormat, BaseOpener
from ._claims import Secrets, Times
from ._protocols import Codec, Format, Opener, Source, Traits
from .auth0_fastapi import Auth0FastAPI
from .auth0_v3 import Auth0V3
from .auth0_v4 import Auth0V4
from .authjs_v5 import AuthJSV5
from .django_cookie import DjangoCookie
from .express_openid import ExpressOpenID
from .flask_cookie import FlaskCookie
from .importer import Importer
from .iron_session import IronSession
from .native import Native
from .nextauth_v4 import NextAuthV4
from .signed_id import sign_id, verify_id
from .starlette_cookie import StarletteCookie

__all__ = [
    "Auth0FastAPI", "Auth0V3", "Auth0V4", "AuthJSV5", "BaseCodec", "BaseFormat", "BaseOpener", "Codec", "DjangoCookie",
    "ExpressOpenID", "FlaskCookie", "Format", "Importer", "IronSession", "Layout", "Native", "NextAuthV4", "Opened", "Opener",
    "Secrets", "Source", "StarletteCookie", "Times", "Traits", "sign_id", "verify_id",
]  # fmt: skip
