"""A small set of criteria with every rule on the whole, and self-scores of it."""

from decimal import Decimal

from models.dossiers import SelfMark
from rules.criteria import Mark

# Two criteria of 50 points in steps of 0.01, each to be half full; a total by class, a vote, vetoes.
CRITERIA = {
    "id": "mau-co-diem",
    "title": "Bộ tiêu chí MẪU có điểm",
    "subject": "residential_group",
    "method": "points",
    "total_max": 100,
    "criteria": [
        {"code": "I", "title": "Tiêu chí MẪU một", "max_points": 50},
        {"code": "II", "title": "Tiêu chí MẪU hai", "max_points": 50},
    ],
}


def mark(points: str) -> Mark:
    """Return a mark of so many points, written with a comma."""
    return Mark(value=Decimal(points.replace(",", ".")))


def marks(group: str, **points: str) -> list[SelfMark]:
    """Return self-scores of a group by leaf; points are written with a comma."""
    return [SelfMark(group, leaf, mark(text)) for leaf, text in points.items()]
