"""HTTP/1.1 over one connection, by RFC 9112: a fraction of what `http.client` costs, which reads headers as an e-mail's."""

from __future__ import annotations

import socket
from collections.abc import Mapping


class Connection:
    """A connection to the app.

    Attributes:
        closes: whether the last response ended the connection.

    Args:
        port: of the app, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.closes = False
        self._host = f"127.0.0.1:{port}".encode()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._coming = self._socket.makefile("rb")

    def ask(
        self, method: str, path: str, headers: Mapping[str, str | bytes]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request without a body, and return the status, the headers and the body of the response."""
        lines = [f"{method} {path} HTTP/1.1".encode("ascii")]
        if "Host" not in headers:
            lines.append(b"Host: " + self._host)
        for name, value in headers.items():
            line = value if isinstance(value, bytes) else value.encode("latin-1")
            assert b"\n" not in line, f"{name} is no header: {value!r}"
            lines.append(name.encode("ascii") + b": " + line)
        if method == "POST":
            lines.append(b"Content-Length: 0")
        self._socket.sendall(b"\r\n".join([*lines, b"", b""]))
        version, status = self._status()
        fields = self._fields()
        found = {name.lower(): value.lower() for name, value in fields}
        kept = version == "HTTP/1.1" or found.get("connection") == "keep-alive"
        self.closes = not kept or found.get("connection") == "close"
        return status, fields, self._body(method, status, found)

    def _status(self) -> tuple[str, int]:
        line = self._coming.readline()
        if not line:
            raise ConnectionResetError("closed without a response")
        version, status, *_ = self._text(line).split(" ", 2)
        assert version in ("HTTP/1.0", "HTTP/1.1"), line
        assert len(status) == 3, line
        return version, int(status)

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while line := self._text(self._coming.readline()):
            name, colon, value = line.partition(":")
            assert colon and name == name.strip(), f"no header: {line!r}"
            fields.append((name, value.strip(" \t")))
        return fields

    def _text(self, line: bytes) -> str:
        assert line.endswith(b"\r\n"), f"the response breaks off: {line!r}"
        return line[:-2].decode("latin-1")

    def _body(self, method: str, status: int, found: Mapping[str, str]) -> bytes:
        if method == "HEAD" or status in (204, 304):
            return b""
        if found.get("transfer-encoding") == "chunked":
            return b"".join(self._chunks())
        if "content-length" in found:
            return self._exactly(int(found["content-length"]))
        self.closes = True
        return self._coming.read()

    def _chunks(self) -> list[bytes]:
        chunks = []
        while size := int(self._text(self._coming.readline()).partition(";")[0], 16):
            chunks.append(self._exactly(size))
            assert self._coming.readline() == b"\r\n"
        self._fields()  # the trailers
        return chunks

    def _exactly(self, size: int) -> bytes:
        body = self._coming.read(size)
        assert len(body) == size, f"{len(body)} bytes came of {size}"
        return body

    def close(self) -> None:
        """Close the connection."""
        self._coming.close()
        self._socket.close()
