"""What a channel answered about one message, in its own words."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the answer means for whoever sent (design.md §5)."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"  # trying again later can help
    PERMANENT = "permanent"  # this recipient cannot be reached this way
    CONFIGURATION = "configuration"  # the installation is at fault, not the recipient
    UNKNOWN = "unknown"  # it may have gone


@dataclass(frozen=True, slots=True)
class Receipt:
    """An outcome with the provider's code, its id for the message and its words; "" where it gave none."""

    outcome: Outcome
    code: str = ""
    provider_id: str = ""
    words: str = ""
