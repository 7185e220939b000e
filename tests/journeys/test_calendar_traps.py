"""Whole campaigns across Tết, a make-up Saturday and the swapped days of January 2026."""

from pathlib import Path

import pytest

from flows.chronicle import chronicle
from flows.rehearsal import rehearse
from models.campaigns import get_campaign
from models.database import Database, transaction, using
from tests import factories


def rehearsed(database: Database, folder: Path, opens_on: str, due: dict) -> dict:
    file = factories.campaign(
        folder / "files",
        stages={
            "self_assessment": {"opens_on": opens_on, "due": due, "wait_for_all": False},
            "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
        },
        legal_basis=[
            {"number": f"{role}/MẪU", "date": opens_on, "kind": "CV", "role": role}
            for role in ("plan", "team", "launch")
        ],
    )
    rehearse(file, (), database=database, letters=folder / "letters")
    with using(database), transaction() as session:
        campaign = get_campaign(session, file.code)
        return chronicle(session, campaign, now=campaign.opened_at)


@pytest.mark.parametrize(
    ("opens_on", "due", "closes_at", "late_from", "said"),
    [
        pytest.param(
            "2024-01-22",
            {"before": "2024-02-15"},
            "2024-02-07T17:00",
            "2024-02-15T00:00",
            [
                "2024-02-02T07:30",
                "2024-02-06T07:30",
                "2024-02-07T07:30",
                "2024-02-15T08:30",
                "2024-02-16T08:30",
            ],
            id="over-tet-2024",
        ),
        pytest.param(
            "2024-04-15",
            {"before": "2024-05-06"},
            "2024-05-04T17:00",
            "2024-05-06T00:00",
            [
                "2024-04-26T07:30",
                "2024-05-03T07:30",
                "2024-05-04T07:30",
                "2024-05-06T08:30",
                "2024-05-07T08:30",
            ],
            id="make-up-saturday-2024",
        ),
        pytest.param(
            "2025-12-15",
            {"within_working_days": 3, "from": "2025-12-31"},
            "2026-01-07T17:00",
            "2026-01-08T00:00",
            [
                "2025-12-31T07:30",
                "2026-01-06T07:30",
                "2026-01-07T07:30",
                "2026-01-08T08:30",
                "2026-01-09T08:30",
            ],
            id="second-of-january-2026-is-off",
        ),
        pytest.param(
            "2025-12-15",
            {"before": "2026-01-12"},
            "2026-01-10T17:00",
            "2026-01-12T00:00",
            [
                "2026-01-07T07:30",
                "2026-01-09T07:30",
                "2026-01-10T07:30",
                "2026-01-12T08:30",
                "2026-01-13T08:30",
            ],
            id="tenth-of-january-2026-is-worked",
        ),
    ],
)
def test_steps_fall_on_the_days_the_office_works(
    database, tmp_path, opens_on, due, closes_at, late_from, said
):
    told = rehearsed(database, tmp_path, opens_on, due)
    dossier = next(each for each in told["deadlines"] if each["item"] == "dossier/a")
    assert (dossier["closes_at"][:16], dossier["late_from"][:16]) == (closes_at, late_from)
    steps = [each["at"][:16] for each in told["notices"] if each["item"] == "dossier/a" and each["step"]]
    assert steps[:5] == said
