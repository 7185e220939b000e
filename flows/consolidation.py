"""Consolidation: one result, the minutes, the submission (tổng hợp, trình công nhận)."""

from datetime import datetime

from flows.openings import ask_owers
from rules.stages import Stage


def consolidate_results(campaign_id: int, now: datetime) -> int:
    """Ask the standing office for the unified result; returns how many notices are new."""
    return ask_owers(campaign_id, Stage.CONSOLIDATION, now)
