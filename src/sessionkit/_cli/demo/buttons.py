"""Render a button of the demo: a form with one button that names the verb it calls."""

from __future__ import annotations

__all__ = ["render_button"]


def render_button(path: str, label: str, verb: str) -> str:
    """Return a form with one button, as HTML."""
    return f'    <form method="post" action="/{path}"><button id="{path}">{label}<small>{verb}</small></button></form>'
