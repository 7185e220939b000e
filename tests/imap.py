"""A real IMAP server on loopback, in a process of its own, with one mailbox."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from imaplib import IMAP4
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "returned@mau.example", "MAU-imap-secret"


@dataclass(frozen=True, slots=True)
class Box:
    """The mailbox: letters are put into it, and its unread ones counted, from outside."""

    port: int

    def put(self, *mails: bytes) -> None:
        """Let mails arrive."""
        with self._opened() as client:
            for mail in mails:
                client.append("INBOX", "", None, mail)

    def unread(self) -> int:
        """Return how many mails nobody has read."""
        with self._opened() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, "UNSEEN")[1][0].split())

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IMAP4]:
        client = IMAP4("127.0.0.1", self.port)
        client.login(USER, PASSWORD)
        yield client
        client.logout()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for which nobody vouches, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return paths


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextlib.contextmanager
def imap(*, certificate: tuple[Path, Path] | None = None) -> Iterator[Box]:
    """Yield a mailbox; with a certificate and its key the server offers STARTTLS."""
    port = _free_port()
    tls = (
        ["--no-tls"] if certificate is None else ["--cert", str(certificate[0]), "--key", str(certificate[1])]
    )
    command = [
        sys.executable,
        "-c",
        "from pymap.main import main; main()",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *tls,
    ]
    command += ["--no-service", "admin", "--no-service", "managesieve", "dict"]
    process = subprocess.Popen(
        [*command, "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        box = Box(port)
        _empty(box)
        yield box
    finally:
        process.kill()
        process.wait()


def _empty(box: Box) -> None:
    """Take away what the server puts into a new mailbox to show itself."""
    with box._opened() as client:
        client.select("INBOX")
        client.store("1:*", "+FLAGS", "\\Deleted")
        client.expunge()
