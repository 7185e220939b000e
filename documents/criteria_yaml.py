"""The text of a criteria file (config/criteria/*.yaml) from a table that was read."""

from decimal import Decimal
from typing import Any

import yaml

from documents.criteria_rows import CriteriaRow, CriteriaTable
from rules.criteria import LeafKind, Method

LIMITED = (LeafKind.BONUS, LeafKind.PENALTY)
OF_POINTS = (
    *(LeafKind.POINTS, LeafKind.CHOICE, LeafKind.RATIO_BANDS, LeafKind.PER_OCCURRENCE),
    *LIMITED,
)


class _Dumper(yaml.SafeDumper):
    """Writes decimals as they are, not as text."""


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    text = format(value, "f")
    kind = "float" if "." in text else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", text)


_Dumper.add_representer(Decimal, _number)


def criteria_yaml(
    table: CriteriaTable, *, set_id: str, title: str, subject: str | None = None, version: str | None = None
) -> str:
    """Return the criteria file that says what the table says; what it leaves open stays open.

    A table with points, or with a kind that brings some, is scored by points; one without asks that
    every leaf is met. Rules on the
    whole (thresholds, vetoes) stand in the act and not in its table: they are added by hand.
    """
    has_points = any(row.max_points is not None or row.kind in OF_POINTS for row in table.walk())
    method = Method.POINTS if has_points else Method.PASS_FAIL_ALL
    document: dict[str, Any] = {
        "id": set_id,
        "title": title,
        "subject": subject,
        "method": method.value,
        "version": version,
        "total_max": table.total_max,
    }
    document = {key: value for key, value in document.items() if value is not None}
    document["criteria"] = [_branch(row) for row in table.rows]
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _branch(row: CriteriaRow) -> dict[str, Any]:
    is_limited = row.kind in LIMITED
    said: dict[str, Any] = {
        "code": row.code,
        "title": row.title,
        "kind": row.kind.value if row.kind else None,
        "max_points": None if is_limited else row.max_points,
        "limit": abs(row.max_points) if is_limited and row.max_points is not None else None,
        "minimum": row.minimum,
        "minimum_rating": row.minimum_rating,
        "not_applicable": row.not_applicable.value if row.not_applicable else None,
        "unit": row.unit,
        "evidence": [row.evidence] if row.evidence else None,
        "children": [_branch(child) for child in row.children] or None,
    }
    return {key: value for key, value in said.items() if value is not None}
