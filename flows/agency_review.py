"""Agency review: every agency assesses its criteria over all dossiers (thẩm định)."""

from datetime import datetime

from flows.openings import ask_owers
from rules.stages import Stage


def follow_reviews(campaign_id: int, now: datetime) -> int:
    """Ask every agency for its review; returns how many notices are new."""
    return ask_owers(campaign_id, Stage.AGENCY_REVIEW, now)
