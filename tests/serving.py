"""The web application on loopback, as its visitors meet it."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime

import uvicorn

from portal.app import create_app
from portal.deps import now as clock


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


@dataclass(frozen=True)
class Site:
    """Where the application is served."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Answer:
        """Ask for a path exactly as it is written, dots and all, and follow nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(at: datetime | None = None) -> Iterator[Site]:
    """Yield the application, which takes it to be `at`; it uses the database in use where it begins."""
    app = create_app()
    if at is not None:
        app.dependency_overrides[clock] = lambda: at
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    # The database in use is a matter of the context, which a thread does not inherit.
    context = copy_context()
    thread = threading.Thread(target=lambda: context.run(server.run, sockets=[listening]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield Site(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
