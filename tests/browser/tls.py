"""TLS before a server that speaks plain http: WebKit keeps Secure cookies over https only, on this machine too."""

from __future__ import annotations

import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@contextmanager
def tls(url: str, folder: Path) -> Iterator[str]:
    """Serve an http:// URL at an https:// URL of the same host; the certificate lies in a folder."""
    target = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_make_certificate(folder))
    listening = socket.create_server(("127.0.0.1", 0))
    clients: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):  # the listening socket is shut down
            while True:
                client, _ = listening.accept()
                clients.append(client)
                threads.append(threading.Thread(target=_serve, args=(client, context, target)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"https://{target.hostname}:{listening.getsockname()[1]}"
    finally:
        for one in (listening, *clients):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in (accepting, *threads):
            thread.join()
        for one in (listening, *clients):
            one.close()


def _serve(plain: socket.socket, context: ssl.SSLContext, target: SplitResult) -> None:
    """Carry one connection. Both directions are one thread's: an SSL object is not for two."""
    with (
        suppress(OSError),
        context.wrap_socket(plain.dup(), server_side=True) as client,
        socket.create_connection((target.hostname, target.port)) as server,
    ):
        while True:
            ready = [client] if client.pending() else select.select([client, server], [], [])[0]
            for source in ready:
                piece = source.recv(65536)
                if not piece:
                    return
                (server if source is client else client).sendall(piece)


def _make_certificate(folder: Path) -> Path:
    """Write a certificate of this machine, signed by itself, with its key; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    built = x509.CertificateBuilder(
        subject_name=name,
        issuer_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )
    certificate = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
