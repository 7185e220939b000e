"""Planning: the plan is to be published (ban hành kế hoạch)."""

from datetime import datetime

from flows.openings import ask_owers
from rules.stages import Stage


def announce_plan(campaign_id: int, now: datetime) -> int:
    """Ask the standing office to have the plan published; returns how many notices are new."""
    return ask_owers(campaign_id, Stage.PLANNING, now)
