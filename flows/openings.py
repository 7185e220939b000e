"""What every stage begins with: whoever owes something is asked for it, once."""

from datetime import datetime

from models.campaigns import get_campaign_by_id
from models.database import transaction
from models.notices import queue_openings
from rules.stages import Stage


def ask_owers(campaign_id: int, stage: Stage, now: datetime) -> int:
    """Queue the opening notices of a stage's open items; returns how many are new."""
    with transaction() as session:
        return queue_openings(session, get_campaign_by_id(session, campaign_id), stage, at=now)
