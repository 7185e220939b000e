"""IMAP servers on loopback: a real one in a process of its own, and one that answers by a script."""

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from imaplib import IMAP4
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "returned@mau.example", "MAU-imap-secret"


@dataclass(frozen=True, slots=True)
class Box:
    """The mailbox as others see it, who put mails into it, read them and throw them away."""

    port: int

    def put(self, *mails: bytes, flags: str = "") -> None:
        """Let mails arrive."""
        with self.opened() as client:
            for mail in mails:
                client.append("INBOX", flags, "", mail)

    def unread(self) -> int:
        """Return how many mails nobody has read."""
        return self.count("UNSEEN")

    def count(self, criterion: str) -> int:
        """Return how many mails there are of a kind: `ALL`, `SEEN`, `DELETED`."""
        with self.opened() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, criterion)[1][0].split())

    def empty(self) -> None:
        """Take every mail away."""
        with self.opened() as client:
            client.select("INBOX")
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()

    @contextlib.contextmanager
    def opened(self) -> Iterator[IMAP4]:
        """Yield a connection that is signed in."""
        client = IMAP4("127.0.0.1", self.port)
        client.login(USER, PASSWORD)
        yield client
        client.logout()


def self_signed(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """Write a certificate for which nobody vouches but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MẪU")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
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
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def imap(*, certificate: tuple[Path, Path] | None = None) -> Iterator[Box]:
    """Yield a mailbox without mails; with a certificate and its key the server offers STARTTLS."""
    port = _free_port()
    command = [sys.executable, "-c", "from pymap.main import main; main()"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-service", "admin"]
    command += ["--no-service", "managesieve"]
    command += ["--cert", str(certificate[0]), "--key", str(certificate[1])] if certificate else ["--no-tls"]
    command += ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port, process)
        box = Box(port)
        box.empty()  # A new mailbox holds mails by which the server shows itself.
        yield box
    finally:
        process.kill()
        process.wait()


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(1_500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, "the server has ended"
        time.sleep(0.02)
    raise AssertionError("the server did not start")


@contextlib.contextmanager
def scripted(
    answers: Mapping[str, str], *, greeting: str = "* OK MẪU", certificate: tuple[Path, Path] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the port of a server that answers each command by its name, and what it was sent.

    An answer may hold lines before the last, which gets the tag of its command; without one it is OK.
    With a certificate it speaks TLS from the start; a greeting of "" hangs up.
    """
    context: ssl.SSLContext | None = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    heard: list[str] = []

    def talk(connection: socket.socket) -> None:
        if not greeting:
            return
        connection.sendall(f"{greeting}\r\n".encode())
        with connection.makefile("rb") as lines:
            for line in lines:
                heard.append(line.decode(errors="replace").strip())
                tag, _, command = heard[-1].partition(" ")
                name = command.removeprefix("UID ").partition(" ")[0]
                usual = "* CAPABILITY IMAP4rev1\r\nOK MAU" if name == "CAPABILITY" else "OK MAU"
                *before, last = answers.get(name, usual).split("\r\n")
                connection.sendall("".join(f"{each}\r\n" for each in [*before, f"{tag} {last}"]).encode())

    def serve() -> None:
        connection, _ = listening.accept()
        connection.settimeout(10)  # A client that forgets to hang up is not waited for.
        with contextlib.suppress(OSError), connection:
            if context is None:
                return talk(connection)
            with context.wrap_socket(connection, server_side=True) as wrapped:
                return talk(wrapped)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join()
