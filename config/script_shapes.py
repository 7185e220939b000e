"""The shape of a script: which verbs and keys a line may have, and which it needs."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from config.shapes import Count, DueShape, Flag, Mail, MaybeDay, Phone, Shape, Text
from rules.dossiers import DossierPart
from rules.stages import Mode, PaperRole, Stage
from rules.work_items import Via


class Verb(StrEnum):
    """What a line may have somebody do; a deed of `rules.deeds`, or the machine standing still."""

    SUBMIT = "submit"
    SUBMIT_NOTHING = "submit_nothing"
    REVIEW = "review"
    RETURN = "return"
    WAIVE = "waive"
    REQUEST_EXTENSION = "request_extension"
    EXTEND = "extend"
    REFUSE_EXTENSION = "refuse_extension"
    AMEND = "amend"
    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    CONCLUDE = "conclude"
    GO_ON = "go_on"
    REGISTER = "register"
    COMPLAIN = "complain"
    ANSWER = "answer"
    RELEASE = "release"
    HOLD = "hold"
    ANNOTATE = "annotate"
    ACKNOWLEDGE = "acknowledge"
    REPLACE_CONTACT = "replace_contact"
    DEPUTISE = "deputise"
    ASSESS_SELF = "assess_self"
    PUT_IN = "put_in"
    ASSESS = "assess"
    PROPOSE_COMPLETION = "propose_completion"
    EXPLAIN = "explain"
    RECUSE = "recuse"
    VETO = "veto"
    LIFT_VETO = "lift_veto"
    SETTLE_SCORES = "settle_scores"
    CONVENE = "convene"
    HOLD_MEETING = "hold_meeting"
    OUTAGE = "outage"


# What a line must say; of names joined by a bar one is enough.
NEEDS: dict[Verb, tuple[str, ...]] = {
    Verb.SUBMIT: ("unit",),
    Verb.SUBMIT_NOTHING: ("unit",),
    Verb.REVIEW: ("unit",),
    Verb.RETURN: ("unit", "reason"),
    Verb.WAIVE: ("unit", "reason"),
    Verb.REQUEST_EXTENSION: ("unit", "reason"),
    Verb.EXTEND: ("unit", "reason", "number", "until|within"),
    Verb.REFUSE_EXTENSION: ("unit", "reason"),
    Verb.AMEND: ("number", "reason", "mode|due|opens_on"),
    Verb.SUSPEND: ("reason",),
    Verb.RESUME: (),
    Verb.CANCEL: ("reason",),
    Verb.CONCLUDE: (),
    Verb.GO_ON: ("reason",),
    Verb.REGISTER: ("number", "role|supplements|corrects|replaces|revokes"),
    Verb.COMPLAIN: ("unit", "subject"),
    Verb.ANSWER: ("complaint",),
    Verb.RELEASE: (),
    Verb.HOLD: ("reason",),
    Verb.ANNOTATE: ("unit", "note"),
    Verb.ACKNOWLEDGE: ("unit",),
    Verb.REPLACE_CONTACT: ("unit", "person", "name", "title"),
    Verb.DEPUTISE: ("unit", "person", "from"),
    Verb.ASSESS_SELF: ("unit", "groups"),
    Verb.PUT_IN: ("unit", "part"),
    Verb.ASSESS: ("unit", "marks"),
    Verb.PROPOSE_COMPLETION: ("unit", "agency", "words"),
    Verb.EXPLAIN: ("unit", "leaf", "words"),
    Verb.RECUSE: ("unit", "person", "reason"),
    Verb.VETO: ("unit", "code", "reason"),
    Verb.LIFT_VETO: ("unit", "code", "reason"),
    Verb.SETTLE_SCORES: ("marks",),
    Verb.CONVENE: ("on", "members"),
    Verb.HOLD_MEETING: ("present",),
    Verb.OUTAGE: ("until",),
}

# Deeds that one line may do for several units.
FOR_MANY = frozenset({Verb.WAIVE, Verb.EXTEND, Verb.REFUSE_EXTENSION})
ABOUT_AN_ITEM = frozenset(
    {Verb.WAIVE, Verb.REQUEST_EXTENSION, Verb.EXTEND, Verb.REFUSE_EXTENSION, Verb.ACKNOWLEDGE}
)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class VotesShape(Shape):
    """How the people of a group voted at their meeting."""

    invited: Count
    attended: Count
    in_favour: Count


class GroupShape(Shape):
    """What a commune says of one of its groups; scores are written as in a table of scores."""

    proposed: Flag = True
    reason: Text | None = None
    area_class: Text | None = Field(default=None, alias="class")
    votes: VotesShape | None = None
    scores: dict[str, Text] = Field(default={})


class MarkShape(Shape):
    """A score of one leaf of one group, with its reason."""

    unit: Text
    group: Text | None = None
    leaf: Text
    mark: Text
    reason: Text | None = None


class VoteShape(Shape):
    """How a meeting voted, on a group or on the whole list."""

    unit: Text | None = None
    group: Text | None = None
    in_favour: Count
    against: Count = 0
    abstained: Count = 0


class LineShape(Shape):
    """One line of a script."""

    at: Text
    do: Verb
    unit: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    item: Literal["dossier", "review"] | None = None
    recorded_at: Text | None = None
    via: Via | None = None
    number: Text | None = None
    issued_on: MaybeDay = Field(default=None, alias="date")
    kind: Text | None = None
    role: Annotated[tuple[PaperRole, ...], BeforeValidator(_listed)] = ()
    supplements: Text | None = None
    corrects: Text | None = None
    replaces: Text | None = None
    revokes: Text | None = None
    title: Text | None = None
    signed_by: Text | None = None
    step: Text | None = None
    by: Text | None = None
    until: Text | None = None
    within: Annotated[int, Field(ge=1, strict=True)] | None = None
    reason: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    note: Text | None = None
    subject: Text | None = None
    complaint: Text | None = None
    mode: Mode | None = None
    due: dict[Stage, DueShape] = Field(default={})
    opens_on: MaybeDay = None
    person: Text | None = None
    name: Text | None = None
    email: Mail | None = None
    phone: Phone | None = None
    zalo: Text | None = None
    first_day: MaybeDay = Field(default=None, alias="from")
    groups: dict[str, GroupShape] = Field(default={})
    marks: tuple[MarkShape, ...] = ()
    agree: Flag = False
    final: Flag = False
    part: DossierPart | None = None
    group: Text | None = None
    leaf: Text | None = None
    words: Text | None = None
    agency: Text | None = None
    code: Text | None = None
    holds_at: Text | None = Field(default=None, alias="on")
    place: Text | None = None
    papers: Flag = False
    members: tuple[Text, ...] = ()
    present: tuple[Text, ...] = ()
    opinions: dict[str, Text] = Field(default={})
    votes: tuple[VoteShape, ...] = ()


class ScriptShape(Shape):
    """All lines, under one name so that they have a shape."""

    lines: list[LineShape]
