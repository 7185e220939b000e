"""Team: the review team is to be set up (thành lập Đoàn kiểm tra, thẩm định)."""

from datetime import datetime

from flows.openings import ask_owers
from rules.stages import Stage


def announce_review_team(campaign_id: int, now: datetime) -> int:
    """Ask for the decision on the team and for members; returns how many notices are new."""
    return ask_owers(campaign_id, Stage.TEAM, now)
