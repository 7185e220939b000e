"""`congnhan score`: what a table of scores comes to by a set of criteria, and why."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from config.criteria_file import gap_problems, read_criteria_file
from config.located import FileInvalid
from config.messages import say
from config.score_words import decimal_words, reason_text
from config.scores_file import read_scores
from flows.command_line import Json, app
from rules.criteria import CriteriaSet, Levels
from rules.scoring import Assessment, Reason, assess

# Rules of which `got` is points; elsewhere it may be a rating or a code that looks like a number.
COMPARES_POINTS = frozenset({"total_min", "total_min_by_area", "each_criterion_min_pct_of_max", "level"})


@app.command(help=say("help.score"))
def score(
    criteria: Annotated[Path, typer.Argument(metavar="CRITERIA", help=say("help.criteria"))],
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help=say("help.scores_file"))],
    as_json: Json = False,
) -> None:
    """Say what each subject of a table comes to, and which rule decided."""
    of, document = read_criteria_file(criteria)
    if of.gaps:
        raise FileInvalid(gap_problems(of, document))
    found = [assess(of, sheet) for sheet in read_scores(scores, of)]
    if as_json:
        typer.echo(json.dumps([_as_json(of, each) for each in found], ensure_ascii=False, indent=2))
    else:
        _print(of, found)


def _as_json(criteria: CriteriaSet, found: Assessment) -> dict[str, Any]:
    levels = any(isinstance(rule, Levels) for rule in criteria.rules)
    return {
        "subject": found.subject,
        "total": _total(criteria, found.total),
        "verdict": found.verdict.value,
        **({"level": found.level} if levels else {}),
        "reasons": [
            {
                "rule": each.rule,
                "code": each.code,
                "need": each.need,
                "got": each.got,
                "text": _text(each),
            }
            for each in _in_points(criteria, found.reasons)
        ],
    }


def _in_points(criteria: CriteriaSet, reasons: Sequence[Reason]) -> list[Reason]:
    """Return reasons in which points stand with the decimals that a total has."""
    return [
        replace(each, got=_total(criteria, Decimal(each.got)))
        if each.rule in COMPARES_POINTS and each.got is not None
        else each
        for each in reasons
    ]


def _text(reason: Reason) -> str:
    return reason_text(reason.rule, reason.code, reason.need, reason.got, reason.outcome)


def _total(criteria: CriteriaSet, total: Decimal | None) -> str | None:
    """Return a total with the decimals it has, at least those of the set's step; never rounded."""
    if total is None:
        return None
    step = criteria.step or Decimal(1)
    bare = total.normalize()
    places = max(-int(step.normalize().as_tuple().exponent), -int(bare.as_tuple().exponent), 0)
    return f"{total:.{places}f}"


def _print(criteria: CriteriaSet, found: Sequence[Assessment]) -> None:
    typer.echo(criteria.title)
    for each in found:
        total = _total(criteria, each.total)
        shown = say("score.total", total=decimal_words(total)) if total is not None else ""
        level = f" ({each.level})" if each.level else ""
        typer.echo(
            say("score.line", subject=each.subject, verdict=say(f"verdict.{each.verdict}"), total=shown)
            + level
        )
        for reason in _in_points(criteria, each.reasons):
            typer.echo(f"  - {_text(reason)}")
