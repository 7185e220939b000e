"""A letter's facts in, a Zalo message out: its text, and the fields that approved templates may ask for."""

from collections import defaultdict
from collections.abc import Mapping

from notifications.compose import facts_of, one_line, render, templates
from notifications.zalo.platform import ZaloMessage, ZaloRecipient
from rules.letters import Letter
from rules.sending import tracking_id

# What one Zalo message holds at most (zalo-contract.md §3).
ZALO_CHARACTERS = 2000


def compose_zalo(letter: Letter, to: ZaloRecipient) -> ZaloMessage:
    """Return the message that says this letter over Zalo; raises as `notifications.compose` does."""
    return ZaloMessage(
        key=tracking_id(letter.message_id),
        to=to,
        sent_at=letter.as_of,
        kind=letter.kind,
        text=render_zalo(letter),
        fields=fields(letter),
    )


def render_zalo(letter: Letter) -> str:
    """Return the letter as one Zalo message, cut at a word where it would be too long."""
    text = one_line(render(letter, "zalo.txt", facts_of(letter)))
    if len(text) <= ZALO_CHARACTERS:
        return text
    return text[: ZALO_CHARACTERS - 1].rpartition(" ")[0].rstrip(" ,;:") + "…"


def fields(letter: Letter) -> Mapping[str, tuple[str, ...]]:
    """Return what a template of Zalo may be filled with: each field in its forms, the best first.

    `templates/_fields.txt` has a line for each form: its name, an equals sign, the words. A form
    without words is left out; a field without a form cannot be asked for in this letter.
    """
    forms: dict[str, list[str]] = defaultdict(list)
    rendered = templates().get_template("_fields.txt").render(facts_of(letter))
    for line in rendered.splitlines():
        name, is_form, words = line.partition("=")
        form = one_line(words)
        if is_form and form and form not in forms[name.strip()]:
            forms[name.strip()].append(form)
    return {name: tuple(found) for name, found in forms.items() if found}
