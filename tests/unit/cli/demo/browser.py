"""A browser for the demo, over either gateway."""

import asyncio
import html
import io
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode
from wsgiref.validate import validator

from sessionkit._cli.demo.gateways import asgi_app, wsgi_app
from sessionkit._cli.demo.site import Site

NOW = 1_700_000_000


HOST = "127.0.0.1:8765"


POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"


class Got(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def page(self) -> str:
        return self.body.decode()

    @property
    def lines(self) -> list[str]:
        return [value for name, value in self.headers if name.lower() == "set-cookie"]

    def header(self, name: str) -> str | None:
        return next((value for one, value in self.headers if one.lower() == name.lower()), None)


def over_wsgi(site: Site, method: str, path: str, headers: dict[str, str], body: bytes) -> Got:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8765",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()},
    }
    answered: list[Any] = []

    def start_response(
        status: str, fields: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        answered.extend((int(status[:3]), fields))
        return answered.append

    iterable = validator(wsgi_app(site))(environ, start_response)
    try:
        data = b"".join(iterable)
    finally:
        iterable.close()  # type: ignore[attr-defined]
    return Got(answered[0], answered[1], data)


def over_asgi(site: Site, method: str, path: str, headers: dict[str, str], body: bytes) -> Got:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [
            (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
        ],
    }
    half = len(body) // 2
    parts = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:]},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asgi_app(site)(scope, receive, send))  # type: ignore[arg-type]
    fields = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Got(
        sent[0]["status"], fields, b"".join(message.get("body", b"") for message in sent[1:])
    )


class Browser:
    """Requests as a browser on the demo's own page sends them."""

    def __init__(self, gateway: Callable[..., Got], site: Site | None = None) -> None:
        self.gateway = gateway
        self.site = site or Site(clock=lambda: NOW)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Got:
        given: dict[str, str | None] = {
            "host": HOST,
            **({"origin": f"http://{HOST}"} if method == "POST" else {}),
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given["cookie"] = (
            "; ".join(f"{name}={value}" for name, value in self.cookies.items()) or None
        )
        got = self.gateway(
            self.site,
            method,
            path,
            {name: value for name, value in given.items() if value is not None},
            body,
        )
        for line in got.lines:
            name, _, value = line.partition(";")[0].partition("=")
            if "; Max-Age=0;" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return got

    def get(self, path: str = "/", **headers: str | None) -> Got:
        return self.ask("GET", path, **headers)

    def post(self, path: str, **form: str) -> Got:
        return self.ask("POST", path, urlencode(form).encode())

    @property
    def session(self) -> dict[str, Any] | None:
        found = re.search(r'<pre id="contents">(.*?)</pre>', self.get().page, re.DOTALL)
        return json.loads(html.unescape(found[1])) if found else None


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))
