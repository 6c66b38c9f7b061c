"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

from misplaced import Misplaced

from sessionkit_flask import SessionKit


class TestMisplaced(Misplaced):
    kit = SessionKit
