"""A deliverer in a process of its own: `python -m tests.torture.deliverer MOMENT PORT`.

It says that it is ready, waits for a line, and then delivers what may leave at that moment.
"""

import sys
from datetime import datetime

from flows.delivery import deliver_letters
from flows.zalo_sending import zalo_sender
from notifications.email import MailServer
from tests.walking import FROM


def main() -> None:
    """Deliver once."""
    now, port = datetime.fromisoformat(sys.argv[1]), int(sys.argv[2])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with zalo_sender(now) as zalo:
        deliver_letters(now, MailServer("127.0.0.1", port, FROM, security="none", timeout=5), zalo=zalo)


if __name__ == "__main__":
    main()
