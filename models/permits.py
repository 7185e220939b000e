"""Whether a deed may be done where a campaign stands; asked first by every deed."""

from datetime import datetime

from models.tables import Campaign
from rules.deeds import Deed, Refusal, refusal
from rules.stages import Stage


class FromTheFuture(Exception):
    """What is recorded cannot have happened after it is recorded."""


class DeedRefused(Exception):
    """The deed may not be done where the campaign stands; `refusal` says why and where it may."""

    def __init__(self, deed: Deed, stage: Stage, refusal: Refusal) -> None:
        super().__init__(f"{deed}: {refusal.why}")
        self.deed, self.stage, self.refusal = deed, stage, refusal


def permit(campaign: Campaign, deed: Deed, *, at: datetime, recorded_at: datetime) -> None:
    """Return where the deed may be done; raises DeedRefused or FromTheFuture where it may not."""
    if at > recorded_at:
        raise FromTheFuture
    refused = refusal(deed, campaign.stage, campaign.side_state)
    if refused is not None:
        raise DeedRefused(deed, campaign.stage, refused)
