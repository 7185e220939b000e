"""Scores, disagreements and results as programs and clerks read them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import typer

from config.messages import say
from config.score_words import decimal_words, why_words
from flows.list_facts import as_text, iso, number, result_facts, version_facts
from flows.refusals import shown
from models.campaigns import file_of
from models.disagreements import Disagreement
from models.marks import KeptMark
from models.results import Frozen, Result
from models.sheets import Known
from models.tables import Campaign
from rules.ranking import Ranked
from rules.reviews import ScoreKind


def version_as_json(frozen: Frozen | None) -> str:
    """Return a frozen version for programs; `null` where a campaign keeps its scores elsewhere."""
    return as_text(None if frozen is None else version_facts(frozen))


def results_as_json(code: str, frozen: Frozen, found: Sequence[Result]) -> str:
    """Return the results of one version for programs, the groups in official order."""
    results = [result_facts(each) for each in found]
    return as_text({"campaign": code, "list": version_facts(frozen), "results": results})


def print_results(frozen: Frozen, found: Sequence[Result], versions: Sequence[Frozen]) -> None:
    """Print a version as a clerk reads it: recognised groups first, then the others with the reasons."""
    typer.echo(
        say(
            "results.head",
            version=frozen.version,
            at=shown(frozen.frozen_at),
            groups=frozen.groups,
            recognised=frozen.recognised,
            hash=frozen.hash[:12],
        )
    )
    for title, chosen in (
        ("results.recognised", [each for each in found if each.is_recognised]),
        ("results.not_recognised", [each for each in found if not each.is_recognised]),
    ):
        typer.echo(say(title, count=len(chosen)))
        for each in chosen:
            total = say("results.total", total=decimal_words(each.final_total)) if each.final_total else ""
            typer.echo(f"  {each.unit_name}: {each.group}{total}{f' - {each.level}' if each.level else ''}")
            for reason in each.reasons:
                typer.echo(f"    - {why_words(reason)}")
    for earlier in versions[:-1]:
        typer.echo(say("results.earlier", version=earlier.version, at=shown(earlier.frozen_at)))


def ranking_as_json(found: Sequence[tuple[str, Ranked]]) -> str:
    """Return a ranking for programs, the best first; `place` is null for who is not ranked."""
    return as_text(
        [
            {
                "unit": unit,
                "group": each.candidate.subject,
                "place": each.place,
                "standing": each.standing.value,
                "total": number(each.candidate.total),
                "votes_pct": number(each.candidate.votes_percent),
                "years": each.candidate.years,
            }
            for unit, each in found
        ]
    )


def print_ranking(found: Sequence[tuple[str, Ranked]]) -> None:
    """Print a ranking as a clerk reads it, one line for each."""
    for unit, each in found:
        typer.echo(
            say(
                "ranking.line",
                place=each.place or "–",
                unit=unit,
                group=each.candidate.subject,
                total=decimal_words(each.candidate.total),
                votes=decimal_words(each.candidate.votes_percent),
                years=each.candidate.years or "–",
                standing=say(f"ranking_standing.{each.standing}"),
            )
        )


def side_by_side(campaign: Campaign, known: Sequence[Known]) -> list[dict[str, Any]]:
    """Return the four scores of every leaf of these groups, as programs read them."""
    leaves = file_of(campaign).criteria.leaves()
    return [
        {
            "unit": each.group.unit,
            "group": each.group.name,
            "leaf": leaf.code,
            "title": leaf.title,
            "scores": {kind.value: _side(each.marks.get((leaf.code, kind))) for kind in ScoreKind},
        }
        for each in known
        for leaf in leaves
    ]


def _side(mark: KeptMark | None) -> dict[str, Any] | None:
    if mark is None:
        return None
    return {
        "points": number(mark.points),
        "standing": mark.standing.value,
        "reason": mark.reason,
        "evidence": mark.evidence,
        "by": mark.by,
        "at": iso(mark.at),
    }


def print_scores(sides: Sequence[Mapping[str, Any]]) -> None:
    """Print the four scores of each leaf in a line."""
    group = None
    for each in sides:
        if each["group"] != group:
            group = each["group"]
            typer.echo(group)
        scores = "  ".join(
            say(f"score_kind.{kind}") + ": " + _side_words(side) for kind, side in each["scores"].items()
        )
        typer.echo(f"  {each['leaf']:8} {scores}")


def _side_words(side: Mapping[str, Any] | None) -> str:
    if side is None:
        return "–"
    if side["points"] is not None:
        return decimal_words(Decimal(side["points"]))
    return say(f"standing.{side['standing']}")


def disagreements_as_json(found: Sequence[Disagreement]) -> str:
    """Return the disagreements for programs, in the order in which they matter."""
    return as_text(
        [
            {
                "unit": each.unit,
                "group": each.group,
                "leaf": each.leaf,
                "changes_the_result": each.changes_the_result,
                "verdict": each.verdict.value,
                "verdict_as_self": each.verdict_as_self.value,
                "change": number(each.change),
                "scores": {
                    kind.value: {
                        "points": number(side.points),
                        "standing": side.standing.value,
                        "reason": side.reason,
                        "by": side.by,
                    }
                    for kind, side in each.sides.items()
                },
            }
            for each in found
        ]
    )


def print_disagreements(found: Sequence[Disagreement]) -> None:
    """Print each disagreement in a line, those on which a result hangs marked."""
    if not found:
        typer.echo(say("disagreement.none"))
    for each in found:
        sides = "  ".join(
            f"{say(f'score_kind.{kind}')}: "
            + (decimal_words(side.points) if side.points is not None else say(f"standing.{side.standing}"))
            for kind, side in each.sides.items()
        )
        reason = next((side.reason for side in reversed(each.sides.values()) if side.reason), "")
        typer.echo(
            say(
                "disagreement.deciding" if each.changes_the_result else "disagreement.line",
                unit=each.unit,
                group=each.group,
                leaf=each.leaf,
                sides=sides,
                reason=reason,
            )
        )
