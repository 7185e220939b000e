"""Delivery of different letters, from the queue to the recorded receipt, beside what else would do it.

One campaign has an opening letter to write to each officer of its communes, every one of them
different: his name, his unit, a calendar entry. All letters are queued when the clock starts.

- `ours`: `flows.delivery.deliver_letters`, whole: claim, facts, composing, sending over a pool of
  kept connections, recording every receipt;
- `floor`: the same number of kept connections of bare `smtplib`, a thread each: of the words that
  `ours` had sent an `EmailMessage` is made with text, HTML and calendar, and `send_message` sends it;
  nothing is composed, claimed or recorded;
- `bytes`: the same connections, `sendmail` of the very bytes that `ours` had sent: what the server
  and the wire alone cost;
- `plain`: one plain Apprise object with the built-in `mailto://` service for each recipient, on a
  part of the letters, counted up per letter (it takes minutes for all of them).

The server is an SMTP server on loopback in a process of its own that takes everything and keeps
only a count. Runs of `ours` and `floor` alternate, each on a fresh copy of the database.
"""

import json
import multiprocessing
import smtplib
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from aiosmtpd.controller import Controller
from apprise import Apprise, NotifyFormat
from sqlalchemy import text

from bench.stores import OPENING, Store, store
from config.campaign_file import CampaignFile, read_campaign
from config.settings import settings
from flows.campaign import tick
from flows.delivery import deliver_letters
from models.campaigns import open_campaign
from models.database import transaction, using
from notifications.email import MailServer
from tests import factories

SENDER = "office@mau.example"
OFFICERS = 4


class Counter:
    """Takes every letter; keeps the bytes of those that are wanted, else only their number."""

    def __init__(self, keeps: bool) -> None:
        self.count, self.kept, self._keeps = 0, list[tuple[str, bytes]](), keeps

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.count += 1
        if self._keeps:
            self.kept.append((envelope.rcpt_tos[0], envelope.original_content))
        return f"250 OK: queued as {self.count}"


class Listening(Controller):
    """Serves on a socket that is bound already."""

    def __init__(self, listening: socket.socket, counter: Counter) -> None:
        host, port = listening.getsockname()
        super().__init__(counter, hostname=host, port=port, server_hostname="localhost")
        self._listening = listening

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


def _serve(pipe: Connection, keeps: bool) -> None:
    counter = Counter(keeps)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    controller = Listening(listening, counter)
    controller.start()
    pipe.send(port)
    pipe.recv()
    pipe.send((counter.count, counter.kept))
    controller.stop()


@dataclass
class Served:
    """A server that is up; `count` and `kept` are known once it is down."""

    port: int
    count: int = 0
    kept: tuple[tuple[str, bytes], ...] = ()


@contextmanager
def server(*, keeps: bool = False) -> Iterator[Served]:
    """Yield a server in a process of its own."""
    mine, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(its, keeps), daemon=True)
    process.start()
    served = Served(mine.recv())
    yield served
    mine.send("stop")
    served.count, kept = mine.recv()
    served.kept = tuple(kept)
    process.join()


@dataclass(frozen=True, slots=True)
class Measured:
    """What so many letters cost: seconds, medians of the runs, and ratios."""

    database: str
    letters: int
    connections: int
    ours_s: float
    ours_min_s: float
    floor_s: float
    floor_min_s: float
    ratio: float
    bytes_s: float
    ratio_to_bytes: float
    plain_per_letter_ms: float
    ours_per_letter_ms: float
    times_faster_than_plain: float


def campaign(folder: Path, letters: int) -> CampaignFile:
    """Return a campaign whose communes have so many officers in all."""
    units = factories.units([f"xa-{number:05d}" for number in range(letters // OFFICERS)])
    for unit in units:
        if unit["kind"] == "commune":
            code = unit["code"]
            unit["contacts"] += [
                factories.contact(f"{code}-{number}", "officer") for number in range(1, OFFICERS)
            ]
    return read_campaign(factories.write_campaign(folder, None, units))


def queued(kept: Store, file: CampaignFile, name: str) -> None:
    """Make a database in which every letter of the campaign's opening is queued."""
    database = kept.open(name)
    database.migrate()
    with using(database):
        with transaction() as session:
            open_campaign(session, file, at=OPENING, by=None)
        tick(OPENING)
        with transaction() as session:
            # What the organiser's own people are asked is left out: the letters are alike then.
            session.connection().execute(
                text("UPDATE letters SET state = 'suppressed' WHERE address NOT LIKE 'xa-%'")
            )
    database.close()
    kept.settle(name)


def ours(kept: Store, name: str, now: datetime, *, keeps: bool = False) -> tuple[float, Served]:
    """Deliver everything and return the seconds it took and what the server had."""
    kept.copy(name, "run")
    database = kept.open("run")
    with server(keeps=keeps) as served, using(database):
        with transaction() as session:
            wanted = (
                session.connection()
                .execute(text("SELECT COUNT(*) FROM letters WHERE state = 'queued'"))
                .scalar_one()
            )
        began = time.perf_counter()
        report = deliver_letters(now, MailServer("127.0.0.1", served.port, SENDER, security="none"))
        took = time.perf_counter() - began
        with transaction() as session:
            recorded = (
                session.connection()
                .execute(text("SELECT COUNT(*) FROM letters WHERE state = 'sent' AND provider_id <> ''"))
                .scalar_one()
            )
    database.close()
    if not report.sent == served.count == recorded == wanted:
        raise SystemExit(
            f"{wanted} letters, {report.sent} sent, {served.count} received, {recorded} recorded"
        )
    return took, served


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter said, taken out of its bytes again."""

    recipient: str
    content: bytes
    name: str
    sender: str
    subject: str
    text: str
    html: str
    calendar: bytes


def words(recipient: str, content: bytes) -> Words:
    """Read a letter that was received."""
    mail = message_from_bytes(content, policy=default)
    plain_text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    (calendar,) = mail.iter_attachments()
    assert plain_text is not None
    assert html is not None
    return Words(
        recipient,
        content,
        str(mail["To"].addresses[0].display_name),
        str(mail["From"].addresses[0].display_name),
        str(mail["Subject"]),
        plain_text.get_content(),
        html.get_content(),
        calendar.get_payload(decode=True),
    )


def built(said: Words, number: int) -> EmailMessage:
    """Make the message as the documentation of the standard library shows."""
    mail = EmailMessage()
    mail["From"] = Address(said.sender, addr_spec=SENDER)
    mail["To"] = Address(said.name, addr_spec=said.recipient)
    mail["Subject"] = said.subject
    mail["Date"] = OPENING
    mail["Message-ID"] = f"<{number}@mau.example>"
    mail.set_content(said.text)
    mail.add_alternative(said.html, subtype="html")
    mail.add_attachment(said.calendar, maintype="text", subtype="calendar", filename="thoi-han.ics")
    return mail


def bare(letters: Sequence[Words], connections: int, *, builds: bool) -> float:
    """Send the letters over so many kept connections of bare smtplib and return the seconds."""
    parts = [letters[number::connections] for number in range(connections)]
    with server() as served, ThreadPoolExecutor(connections) as threads:

        def send(part: Sequence[Words]) -> None:
            with smtplib.SMTP("127.0.0.1", served.port, "mau.example") as smtp:
                for number, said in enumerate(part):
                    if builds:
                        smtp.send_message(built(said, number))
                    else:
                        smtp.sendmail(SENDER, [said.recipient], said.content)

        began = time.perf_counter()
        list(threads.map(send, parts))
        took = time.perf_counter() - began
    if served.count != len(letters):
        raise SystemExit(f"{len(letters)} letters, {served.count} received")
    return took


def plain(letters: Sequence[Words]) -> float:
    """Send through one plain Apprise object for each recipient and return the seconds per letter."""
    with server() as served:
        began = time.perf_counter()
        for said in letters:
            service = Apprise()
            service.add(
                f"mailto://127.0.0.1:{served.port}?from={SENDER}&to={said.recipient}&mode=insecure"
                f"&name={said.sender}&format=html"
            )
            service.notify(title=said.subject, body=said.html, body_format=NotifyFormat.HTML)
        took = time.perf_counter() - began
    if served.count != len(letters):
        raise SystemExit(f"{len(letters)} letters, {served.count} received by plain Apprise")
    return took / len(letters)


def main(
    letters: Annotated[int, typer.Option(help="how many letters")] = 5_000,
    runs: Annotated[int, typer.Option(help="runs of each")] = 3,
    sample: Annotated[int, typer.Option(help="letters sent through plain Apprise")] = 200,
    kinds: Annotated[list[str] | None, typer.Option("--database")] = None,
    out: Annotated[Path | None, typer.Option(help="a file for the figures as JSON")] = None,
) -> None:
    """Measure on each database and print a table."""
    found = []
    connections = settings().mail_connections
    with tempfile.TemporaryDirectory(prefix="congnhan-bench-") as scratch:
        file = campaign(Path(scratch) / "files", letters)
        for kind in kinds or ["sqlite", "postgresql"]:
            with store(kind, Path(scratch) / kind) as kept:
                queued(kept, file, "queued")
                _, first = ours(kept, "queued", OPENING, keeps=True)
                said = [words(*each) for each in first.kept]
                own, floor, sent = [], [], []
                for _ in range(runs):
                    own.append(ours(kept, "queued", OPENING)[0])
                    floor.append(bare(said, connections, builds=True))
                    sent.append(bare(said, connections, builds=False))
                each = plain(said[:sample])
            mine = median(own)
            found.append(
                Measured(
                    database=kind,
                    letters=len(first.kept),
                    connections=connections,
                    ours_s=round(mine, 2),
                    ours_min_s=round(min(own), 2),
                    floor_s=round(median(floor), 2),
                    floor_min_s=round(min(floor), 2),
                    ratio=round(mine / median(floor), 2),
                    bytes_s=round(median(sent), 2),
                    ratio_to_bytes=round(mine / median(sent), 2),
                    plain_per_letter_ms=round(1000 * each, 2),
                    ours_per_letter_ms=round(1000 * mine / len(first.kept), 2),
                    times_faster_than_plain=round(each * len(first.kept) / mine, 1),
                )
            )
    columns = list(asdict(found[0]))
    typer.echo("| " + " | ".join(columns) + " |")
    typer.echo("|" + "---|" * len(columns))
    for each_one in found:
        typer.echo("| " + " | ".join(str(value) for value in asdict(each_one).values()) + " |")
    if out is not None:
        out.write_text(json.dumps([asdict(each_one) for each_one in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
