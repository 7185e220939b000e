"""A pool of kept connections: as many as the server lets in, and nothing begun that cannot end in time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from notifications.deliver import MailPool
from notifications.email import MailServer
from notifications.mailbox import Mailbox
from rules.sending import Outcome
from tests.notifications.test_email import SENDER, message


@contextmanager
def narrow(folder: Path, places: int) -> Iterator[tuple[MailServer, list[str]]]:
    """Yield a server that lets only so many connections in at once, and what became of each that came."""
    came: list[str] = []
    inside = threading.Semaphore(places)

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket, port: int) -> None:
        if not inside.acquire(blocking=False):
            came.append("refused")
            client.sendall(b"421 too many connections\r\n")
            client.close()
            return
        came.append("let in")
        with socket.create_connection(("127.0.0.1", port)) as mailbox:
            back = threading.Thread(target=pass_on, args=(mailbox, client), daemon=True)
            back.start()
            pass_on(client, mailbox)
            back.join()
        client.close()
        inside.release()

    def listen(door: socket.socket, port: int) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(door.accept()[0], port), daemon=True).start()

    with Mailbox(folder) as mailbox, socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=listen, args=(door, mailbox.port), daemon=True).start()
        yield MailServer("127.0.0.1", door.getsockname()[1], SENDER, security="none", timeout=5), came
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)


def test_a_few_letters_do_not_open_every_connection(tmp_path):
    with Mailbox(tmp_path) as mailbox, MailPool(mailbox.server(SENDER), connections=4) as pool:
        for number in range(3):
            assert pool.send(message(f"a{number}@mau.example")).result().outcome is Outcome.ACCEPTED
        assert [connection.is_open for connection in pool._all].count(True) == 1


def test_every_message_gets_its_own_receipt_in_whatever_order_they_end(tmp_path):
    with Mailbox(tmp_path) as mailbox, MailPool(mailbox.server(SENDER), connections=4) as pool:
        whom = [f"a{number}@mau.example" for number in range(60)]
        answers = [pool.send(message(each, message_id=f"<{each}>")) for each in whom]
        receipts = [answer.result() for answer in answers]
        assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
        assert len({receipt.provider_id for receipt in receipts}) == 60
        assert len(mailbox.letters()) == 60


def test_what_cannot_be_begun_in_time_is_not_begun(tmp_path):
    with Mailbox(tmp_path) as mailbox, MailPool(mailbox.server(SENDER), connections=1) as pool:
        receipt = pool.send(message(), within=-1.0).result()
        assert receipt.outcome is Outcome.NOT_TRIED
        assert mailbox.letters() == []


def test_a_rate_that_would_outlast_the_claim_leaves_the_rest_unbegun(tmp_path):
    with Mailbox(tmp_path) as mailbox, MailPool(mailbox.server(SENDER), per_minute=60) as pool:
        answers = [pool.send(message(f"a{number}@mau.example"), within=0.5) for number in range(5)]
        outcomes = [answer.result().outcome for answer in answers]
        assert outcomes.count(Outcome.ACCEPTED) == 1
        assert outcomes.count(Outcome.NOT_TRIED) == 4


def test_a_server_that_is_away_is_known_to_be(tmp_path):
    away = MailServer("127.0.0.1", 1, SENDER, security="none", timeout=1)
    with MailPool(away, connections=2) as pool:
        assert not pool.is_unreachable
        answers = [pool.send(message(f"a{number}@mau.example")) for number in range(4)]
        assert {answer.result().outcome for answer in answers} == {Outcome.TRANSIENT}
        assert pool.is_unreachable


@pytest.mark.parametrize("places", [1, 2])
def test_a_server_that_lets_fewer_in_is_sent_everything_over_those(tmp_path, places):
    with narrow(tmp_path, places) as (server, came), MailPool(server, connections=4) as pool:
        answers = [pool.send(message(f"a{number}@mau.example")) for number in range(40)]
        assert {answer.result().outcome for answer in answers} == {Outcome.ACCEPTED}
    assert came.count("let in") == places
