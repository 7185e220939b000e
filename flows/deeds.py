"""What people do, told by a line of a script; the commands do the same by hand."""

from config.script_file import ScriptLine, Verb
from models.campaigns import file_of, freeze_list, get_campaign
from models.database import transaction
from models.notices import release
from models.papers import register_paper
from models.work_items import hand_in
from rules.letters import Paper
from rules.work_items import ItemKind, Via


def carry_out(code: str, line: ScriptLine) -> None:
    """Do what one line says, in one transaction; a refused deed raises and leaves nothing behind."""
    with transaction() as session:
        campaign = get_campaign(session, code)
        match line.do:
            case Verb.SUBMIT | Verb.SUBMIT_NOTHING | Verb.REVIEW:
                hand_in(
                    session,
                    campaign,
                    ItemKind.REVIEW if line.do is Verb.REVIEW else ItemKind.DOSSIER,
                    line.unit or "",
                    at=line.at,
                    recorded_at=line.recorded_at,
                    by=line.by,
                    via=line.via or Via.PORTAL,
                    number=line.number,
                    is_not_proposing=line.do is Verb.SUBMIT_NOTHING,
                )
            case Verb.CONCLUDE:
                freeze_list(session, campaign, at=line.at, by=line.by)
            case Verb.RELEASE:
                release(session, campaign, unit=line.unit, step=line.step, at=line.at, by=line.by)
            case Verb.REGISTER:
                day = file_of(campaign).calendar.day_of(line.at)
                register_paper(
                    session,
                    campaign,
                    Paper(
                        line.kind or "", line.number or "", line.issued_on or day, line.title, line.signed_by
                    ),
                    line.roles,
                    today=day,
                    at=line.at,
                    by=line.by,
                    recorded_at=line.recorded_at,
                )
            case Verb.OUTAGE:
                pass  # nobody acts; the rehearsal holds its ticks
