"""A TLS connection to Redis: with a certificate that the client trusts, and with one that it does not."""

import asyncio
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis_servers import redis_server
from tcp_proxy import free_port

from sessionkit import BackendError
from sessionkit.backends import AsyncRedisBackend, RedisBackend


def load(kind, url):
    """Load a record that is not there with a new backend."""

    async def awaited():
        backend = AsyncRedisBackend(url)
        try:
            return await backend.load("unknown", "nobody")
        finally:
            await backend.aclose()

    if kind is AsyncRedisBackend:
        return asyncio.run(awaited())
    backend = RedisBackend(url)
    try:
        return backend.load("unknown", "nobody")
    finally:
        backend.close()


BOTH = pytest.mark.parametrize("kind", [RedisBackend, AsyncRedisBackend])


@pytest.fixture
def tls(tmp_path):
    """The URL of a server with TLS and without a password, and the path of its certificate, which nobody else has signed."""
    certificate, port = str(_certificate(tmp_path)), free_port()
    options = {
        "--tls-port": str(port),
        "--tls-cert-file": certificate,
        "--tls-key-file": str(tmp_path / "key.pem"),
        "--tls-ca-cert-file": certificate,
        "--tls-auth-clients": "no",
    }
    with redis_server(*(word for pair in options.items() for word in pair)):
        yield f"rediss://127.0.0.1:{port}", certificate


@BOTH
def test_a_certificate_that_the_client_does_not_trust_is_told(kind, tls):
    with pytest.raises(BackendError) as raised:
        load(kind, tls[0])
    assert str(raised.value).startswith(
        "the session backend failed (SSLCertVerificationError): check the server's certificate, and which authorities "
    )


@BOTH
def test_session_tickets_are_not_taken_for_a_reply(kind, tls):
    url, certificate = tls
    assert [load(kind, f"{url}?ssl_ca_certs={certificate}") for _ in range(5)] == [None] * 5


def _certificate(folder):
    """Write a certificate of this machine, signed by itself, and its key; return the path of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(private)
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
