"""Decision: the chairman decides, and everybody is told (quyết định công nhận)."""

from datetime import datetime

from flows.openings import ask_owers
from models.amendments import announce_result
from models.campaigns import get_campaign_by_id
from models.database import transaction
from rules.stages import Stage


def announce_decision(campaign_id: int, now: datetime) -> int:
    """Ask for the decision, or announce it once it is registered; returns how many notices are new."""
    asked = ask_owers(campaign_id, Stage.DECISION, now)
    with transaction() as session:
        return asked + announce_result(session, get_campaign_by_id(session, campaign_id), at=now)
