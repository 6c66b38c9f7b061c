"""A JavaScript library in a Node process of its own, asked one thing at a time."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODE = Path(__file__).parent / "node"
HEADER_SIZE = 32_768  # bytes of a request's headers; Node's own limit of 16 kB is less than a session of 12 kB makes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a library gave: the session's JSON text (None for no session) and the Set-Cookie lines."""

    session: str | None
    lines: list[str]

    @property
    def contents(self) -> Any:
        """The session, decoded."""
        return None if self.session is None else json.loads(self.session)


class LibraryError(Exception):
    """The library threw."""


class Library:
    """A library behind node/serve.mjs; `options` are its own settings."""

    def __init__(self, module: str) -> None:
        command = ["node", f"--max-http-header-size={HEADER_SIZE}", "serve.mjs", module]
        self._process = subprocess.Popen(
            command,
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._asked = 0

    def ask(
        self,
        op: str,
        now: int,
        options: dict[str, Any],
        cookies: str = "",
        session: str | None = None,
    ) -> Answer:
        """What the library answers to `login`, `read`, `update` or `logout` at a time, for a Cookie header."""
        self._asked += 1
        question: dict[str, Any] = {
            "id": self._asked,
            "now": now,
            "op": op,
            "options": options,
            "cookies": cookies,
        }
        if session is not None:
            question["session"] = session
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(
            self._process.stdout.readline() or '{"error": "the Node process ended"}'
        )
        if "error" in answer:
            raise LibraryError(answer["error"])
        assert answer["id"] == self._asked
        return Answer(answer["session"], answer["setCookie"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)
