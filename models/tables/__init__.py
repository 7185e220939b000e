"""Every table, nothing but tables."""

from models.tables.campaigns import (
    Amendment,
    Campaign,
    CampaignGroup,
    CampaignUnit,
    JournalEntry,
    JournalHead,
    Paper,
    PaperPart,
    StageEntry,
)
from models.tables.items import (
    DeadlineStep,
    DeadlineVersion,
    DossierReturn,
    ExtensionRequest,
    ItemTerm,
    StepRecipient,
    Submission,
    WorkItem,
)
from models.tables.letters import ChannelHold, Lease, Letter, Notice, Try
from models.tables.units import Contact, ResidentialGroup, Unit
from models.tables.zalo import LinkCode, TokenEntry, ZaloEvent, ZaloToken, ZaloUser

__all__ = [
    "Amendment",
    "Campaign",
    "CampaignGroup",
    "CampaignUnit",
    "ChannelHold",
    "Contact",
    "DeadlineStep",
    "DeadlineVersion",
    "DossierReturn",
    "ExtensionRequest",
    "ItemTerm",
    "JournalEntry",
    "JournalHead",
    "Lease",
    "Letter",
    "LinkCode",
    "Notice",
    "Paper",
    "PaperPart",
    "ResidentialGroup",
    "StageEntry",
    "StepRecipient",
    "Submission",
    "TokenEntry",
    "Try",
    "Unit",
    "WorkItem",
    "ZaloEvent",
    "ZaloToken",
    "ZaloUser",
]
