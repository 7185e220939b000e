"""Self-assessment: every commune owes its dossier (tự đánh giá, gửi hồ sơ)."""

from datetime import datetime

from flows.openings import ask_owers
from rules.stages import Stage


def collect_dossiers(campaign_id: int, now: datetime) -> int:
    """Ask every commune for its dossier; returns how many notices are new."""
    return ask_owers(campaign_id, Stage.SELF_ASSESSMENT, now)
