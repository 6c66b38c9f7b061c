"""The browser's side of a websocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_connection
from typing import Any

from websockets.sync.client import connect


@contextmanager
def opened(browser, *operations: Any, form: str = "none", keep: bool = True) -> Iterator[Any]:
    headers = {"X-Do": json.dumps(operations), "X-Form": form, "Cookie": browser.jar.header}
    connection = create_connection(("127.0.0.1", browser.port))
    with connect(
        f"ws://127.0.0.1:{browser.port}/ws", additional_headers=headers, sock=connection
    ) as socket:
        if keep:
            for line in socket.response.headers.get_all("Set-Cookie"):
                browser.jar.take(line)
        yield socket


def tell(socket, *operations: Any) -> Any:
    socket.send(json.dumps(operations))
    return json.loads(socket.recv(timeout=20))
