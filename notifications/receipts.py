"""What a channel answered about one message, in its own words."""

from dataclasses import dataclass

from rules.sending import Outcome, Pause, Way

__all__ = ["Outcome", "Receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """An outcome with the provider's code, its id for the message and its words; "" where it gave none.

    `way` is the way that was tried. `pause` says when to try again where the answer itself says so,
    `most_tries` how often at most where its kind sets another limit than the usual day; `is_shown`
    asks that the standing office be told even where another way or channel takes over. `said` is what
    was handed over where that was not the message's own text.
    """

    outcome: Outcome
    code: str = ""
    provider_id: str = ""
    words: str = ""
    way: Way = Way.EMAIL
    pause: Pause | None = None
    most_tries: int | None = None
    is_shown: bool = False
    said: str = ""
