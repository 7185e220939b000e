"""The standing office as a rehearsal plays it: it does each part that no line of the script does."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from config.messages import say
from config.script_file import ScriptLine, Verb
from models.agenda import next_step
from models.campaigns import (
    cited_papers,
    file_of,
    go_on,
    stage_facts,
)
from models.database import Session
from models.deadlines import stage_late_from
from models.papers import register_paper, registered_roles
from models.results import freeze_list
from models.tables import Campaign
from rules.letters import Paper
from rules.stages import Blocker, PaperRole, Stage, blockers

BY = "co-quan-thuong-truc"

# Papers of a rehearsal are marked as made up: the program never invents a real number.
DRAFTS: dict[Blocker, tuple[PaperRole, str]] = {
    Blocker.PLAN_NOT_REGISTERED: (PaperRole.PLAN, "KH"),
    Blocker.TEAM_NOT_REGISTERED: (PaperRole.TEAM, "QĐ"),
    Blocker.LAUNCH_NOT_REGISTERED: (PaperRole.LAUNCH, "CV"),
    Blocker.SUBMISSION_NOT_REGISTERED: (PaperRole.SUBMISSION, "TTr"),
    Blocker.DECISION_NOT_REGISTERED: (PaperRole.DECISION, "QĐ"),
}


class RehearsedOffice:
    """Acts for the standing office at one instant after another.

    Papers are registered and the list is frozen in office hours only; the office goes on without
    what is missing at `late_from` itself (design.md §8).
    """

    def __init__(self, script: Sequence[ScriptLine]) -> None:
        self._script = script

    def act(self, session: Session, campaign: Campaign, now: datetime) -> bool:
        """Do what can be done now; say whether anything was. A suspended campaign rests."""
        if campaign.side_state is not None:
            return False
        acted = False
        for blocker in blockers(stage_facts(session, campaign, now=now)):
            if self._is_left_to_script(blocker, now) or not self._may_act(session, campaign, blocker, now):
                continue
            self._settle(session, campaign, blocker, now)
            acted = True
        return self._register_cited(session, campaign, now) or acted

    def next_act(self, session: Session, campaign: Campaign, now: datetime) -> datetime | None:
        """Return the next opening of the office if something waits for it, else None."""
        if campaign.side_state is not None:
            return None
        calendar = file_of(campaign).calendar
        waits = [
            blocker
            for blocker in blockers(stage_facts(session, campaign, now=now))
            if blocker in DRAFTS or blocker is Blocker.LIST_NOT_FROZEN
            if not self._is_left_to_script(blocker, now)
        ]
        opening = calendar.next_office_time(now)
        if waits and opening > now:
            return opening
        if Blocker.DECISION_NOT_REGISTERED in waits:
            tomorrow = calendar.working_day_after(calendar.day_of(now), 1)
            return calendar.at(tomorrow, calendar.office_hours[0])
        days = [paper.issued_on for paper, _ in self._unregistered(session, campaign)]
        if not days:
            return None
        return calendar.next_office_time(max(now, calendar.midnight(min(days))))

    def _may_act(self, session: Session, campaign: Campaign, blocker: Blocker, now: datetime) -> bool:
        calendar = file_of(campaign).calendar
        match blocker:
            case Blocker.NOT_YET_OPENING_DAY:
                return False
            case Blocker.DOSSIERS_MISSING | Blocker.REVIEWS_OPEN:
                late_from = stage_late_from(session, campaign, campaign.stage)
                return late_from is not None and now >= late_from
            case Blocker.DECISION_NOT_REGISTERED:
                if self._has_steps_left(session, campaign, now):
                    return False
        role = DRAFTS[blocker][0] if blocker in DRAFTS else None
        if role and any(role in roles for _, roles in self._unregistered(session, campaign)):
            return False  # the real paper comes on its own day
        return calendar.next_office_time(now) == now

    def _has_steps_left(self, session: Session, campaign: Campaign, now: datetime) -> bool:
        """Say whether a step of another open item fires today or later.

        The decision closes the campaign and ends every ladder, so it comes last of all
        (docs/decisions/0005).
        """
        calendar = file_of(campaign).calendar
        yesterday = calendar.midnight(calendar.day_of(now)) - timedelta(microseconds=1)
        return next_step(session, campaign, after=yesterday, but=Stage.DECISION) is not None

    def _settle(self, session: Session, campaign: Campaign, blocker: Blocker, now: datetime) -> None:
        match blocker:
            case Blocker.DOSSIERS_MISSING | Blocker.REVIEWS_OPEN:
                go_on(session, campaign, at=now, recorded_at=now, by=BY, reason=say("rehearsal.reason"))
            case Blocker.LIST_NOT_FROZEN:
                freeze_list(session, campaign, at=now, recorded_at=now, by=BY)
            case _:
                role, kind = DRAFTS[blocker]
                today: date = file_of(campaign).calendar.day_of(now)
                number = f"MẪU-{len(registered_roles(session, campaign)) + 1:02d}/{kind}"
                register_paper(
                    session, campaign, Paper(kind, number, today), [role], today=today, at=now, by=BY
                )

    def _is_left_to_script(self, blocker: Blocker, now: datetime) -> bool:
        later = [line for line in self._script if line.recorded_at > now]
        match blocker:
            case Blocker.DOSSIERS_MISSING:
                return False
            case Blocker.REVIEWS_OPEN:
                return any(line.do is Verb.REVIEW for line in later)
            case Blocker.LIST_NOT_FROZEN:
                return any(line.do is Verb.CONCLUDE for line in later)
        role = DRAFTS[blocker][0] if blocker in DRAFTS else None
        return any(line.do is Verb.REGISTER and role in line.roles for line in later)

    def _unregistered(
        self, session: Session, campaign: Campaign
    ) -> list[tuple[Paper, tuple[PaperRole, ...]]]:
        known = registered_roles(session, campaign)
        return [(paper, roles) for paper, roles in cited_papers(campaign) if set(roles) - known]

    def _register_cited(self, session: Session, campaign: Campaign, now: datetime) -> bool:
        calendar = file_of(campaign).calendar
        if calendar.next_office_time(now) != now:
            return False
        today = calendar.day_of(now)
        due = [each for each in self._unregistered(session, campaign) if each[0].issued_on <= today]
        for paper, roles in due:
            register_paper(session, campaign, paper, roles, today=today, at=now, by=BY)
        return bool(due)
