"""A whole campaign on a simulated clock, through the same code, into an embedded mailbox."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from config.campaign_file import CampaignFile
from config.script_file import ScriptLine, Verb
from config.settings import settings
from flows.campaign import tick
from flows.deeds import carry_out
from flows.delivery import deliver_letters
from flows.office import BY, RehearsedOffice
from models.agenda import next_instant
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.due_steps import Gate
from notifications.email import MailServer
from notifications.mailbox import Mailbox

# A campaign lasts months; one that never ends is a defect, and should say so rather than hang.
MOST_INSTANTS = 5_000

# What the head of the standing office does to messages that wait for him.
OF_THE_HEAD = (Verb.RELEASE, Verb.HOLD, Verb.ANNOTATE)


class ScriptBeforeOpening(Exception):
    """A line of the script lies before the campaign opens; `line` is its number in the file."""

    def __init__(self, line: int, opens_at: datetime) -> None:
        super().__init__(f"line {line} lies before {opens_at}")
        self.line, self.opens_at = line, opens_at


def rehearse(
    file: CampaignFile,
    script: Sequence[ScriptLine],
    *,
    database: Database,
    letters: Path,
    tell: Callable[[datetime], None] = lambda _: None,
) -> None:
    """Run the campaign from its opening to its end in an empty database; letters go to a folder.

    The clock visits only instants at which something can change. At each of them people act
    first, then the office, then the tick, then the letters leave. `tell` hears each instant.
    Raises ScriptBeforeOpening, ScriptRefused and RehearsalFailed.
    """
    now = file.calendar.at(file.self_assessment.opens_on, file.calendar.office_hours[0])
    too_early = [line for line in script if line.recorded_at < now]
    if too_early:
        raise ScriptBeforeOpening(too_early[0].line, now)
    with using(database), Mailbox(letters) as mailbox:
        database.migrate()
        with transaction() as session:
            open_campaign(session, file, at=now, by=BY)
        play = _Play(file.code, script, mailbox.server(settings().mail_from))
        for _ in range(MOST_INSTANTS):
            tell(now)
            play.visit(now)
            coming = play.next_instant(now)
            if coming is None:
                return
            now = coming
        raise RuntimeError(f"the rehearsal of {file.code} does not end")


class ScriptRefused(Exception):
    """A deed of the script was refused; `line` is its number in the file, `why` the refusal."""

    def __init__(self, line: int, why: Exception) -> None:
        super().__init__(f"line {line}: {why}")
        self.line, self.why = line, why


class RehearsalFailed(Exception):
    """A tick of the rehearsal failed; the log tells why, `at` when."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"the tick at {at} failed")
        self.at = at


class _Play:
    """One rehearsal under way."""

    def __init__(self, code: str, script: Sequence[ScriptLine], server: MailServer) -> None:
        self._code, self._script, self._server = code, script, server
        self._office = RehearsedOffice(script)

    def visit(self, now: datetime) -> None:
        """Let everybody act at this instant, until nothing moves any more."""
        for line in self._script:
            if line.recorded_at == now and line.do is not Verb.OUTAGE:
                try:
                    carry_out(self._code, line)
                except Exception as refusal:
                    raise ScriptRefused(line.line, refusal) from refusal
        if self._outage(now):
            return
        while True:
            with transaction() as session:
                acted = self._office.act(session, get_campaign(session, self._code), now)
            if tick(now, gate=self._gate(now)).failed:
                raise RehearsalFailed(now)
            if not acted:
                break
        deliver_letters(now, self._server)

    def next_instant(self, now: datetime) -> datetime | None:
        """Return the next instant at which anything can change, or None at the end."""
        with transaction() as session:
            campaign = get_campaign(session, self._code)
            coming = [
                next_instant(session, campaign, after=now),
                self._office.next_act(session, campaign, now),
            ]
        coming += [line.recorded_at for line in self._script]
        coming += [line.until for line in self._script if line.do is Verb.OUTAGE]
        outage = self._outage(now)
        if outage and outage.until:
            # Nothing runs until the outage is over, but people go on handing things in.
            acts = [line.recorded_at for line in self._script if now < line.recorded_at < outage.until]
            return min([*acts, outage.until])
        return min((each for each in coming if each is not None and each > now), default=None)

    def _outage(self, now: datetime) -> ScriptLine | None:
        for line in self._script:
            if line.do is Verb.OUTAGE and line.until and line.at <= now < line.until:
                return line
        return None

    def _gate(self, now: datetime) -> Gate:
        """Everything is released at once, but for the units about which the standing head acts later."""
        later = [line for line in self._script if line.do in OF_THE_HEAD and line.recorded_at > now]
        return Gate(
            is_for_all=any(line.unit is None for line in later),
            units=frozenset(line.unit for line in later if line.unit),
        )
