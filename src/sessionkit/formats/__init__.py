"""Formats: how a session becomes a token, and back. One file a format."""

from .codec import Codec, Format, Opened
from .native import Native

__all__ = ["Codec", "Format", "Native", "Opened"]
