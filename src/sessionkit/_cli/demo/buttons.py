"""A button of the demo: a form of its own, with the name of the verb that it calls."""

from __future__ import annotations

__all__ = ["render_button"]


def render_button(path: str, label: str, verb: str) -> str:
    """Return a form with one button, as HTML."""
    return f'    <form method="post" action="/{path}"><button id="{path}">{label}<small>{verb}</small></button></form>'
