"""Small campaigns with dull defaults; what matters to a test is written in the test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from config.campaign_file import CampaignFile, read_campaign

ROOT = Path(__file__).parent.parent
LETTER = ROOT / "config/campaigns/lai-chau-2021.yaml"
SCRIPT = ROOT / "config/campaigns/lai-chau-2021.script.yaml"


def contact(name: str, role: str, **more: Any) -> dict[str, Any]:
    """A made-up person whose address is his name."""
    return {
        "name": f"MẪU {name}",
        "title": "chuyên viên",
        "role": role,
        "email": f"{name}@mau.example",
    } | more


def unit(code: str, kind: str = "commune", **more: Any) -> dict[str, Any]:
    """A unit with an officer and a head."""
    people = [contact(code, "officer"), contact(f"{code}.head", "unit_head")]
    return {
        "code": code,
        "valid_from": "2021-01-01",
        "name": f"xã MẪU {code}" if kind == "commune" else f"phòng MẪU {code}",
        "kind": kind,
        "contacts": people,
    } | more


def units(communes: Sequence[str] = ("a", "b"), agencies: Sequence[str] = ("x",)) -> list[dict[str, Any]]:
    """The organiser with its leaders, the standing office, communes and agencies."""
    leaders = [contact(role, role) for role in ("chairman", "vice_chairman", "office")]
    return [
        unit("city", "government", name="Ủy ban nhân dân MẪU", contacts=leaders),
        unit("standing", "agency"),
        *[unit(code, "agency") for code in agencies],
        *[unit(code) for code in communes],
    ]


def campaign_data(**more: Any) -> dict[str, Any]:
    """The data of a campaign file with every stage, both ladders and one criterion."""
    return {
        "code": "mau-2021",
        "title": "Công nhận tổ dân phố MẪU năm 2021",
        "organiser": "city",
        "standing_office": "standing",
        "mode": "dossier",
        "units": "units.yaml",
        "criteria": "criteria.yaml",
        "legal_basis": [
            {"number": "1/KH-MẪU", "date": "2021-01-04", "kind": "KH", "role": "plan"},
            {"number": "2/QĐ-MẪU", "date": "2021-01-05", "kind": "QĐ", "role": "team"},
            {"number": "3/CV-MẪU", "date": "2021-11-11", "kind": "CV", "role": "launch"},
        ],
        "stages": {
            "self_assessment": {
                "opens_on": "2021-11-11",
                "due": {"before": "2021-11-22"},
                "wait_for_all": False,
            },
            "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
        },
        "remind": [{"before": 3}, {"before": 1}, {"before": 0}],
        "escalate": [
            {"after": 0, "to": "unit_head"},
            {"after": 1, "to": "standing_head"},
            {"after": 3, "to": "chairman", "copy": ["vice_chairman", "office"]},
        ],
        "reviews": {"x": ["I"]},
    } | more


ONE_CRITERION = {
    "id": "mau",
    "title": "Bộ tiêu chí MẪU",
    "criteria": [{"code": "I", "title": "Tiêu chí MẪU"}],
}


def write_campaign(
    folder: Path,
    data: Mapping[str, Any] | None = None,
    of_units: Sequence[Mapping[str, Any]] | None = None,
    criteria: Mapping[str, Any] | None = None,
) -> Path:
    """Write a campaign file with its units and criteria into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("campaign.yaml", dict(data or campaign_data())),
        ("units.yaml", {"units": list(of_units or units())}),
        ("criteria.yaml", dict(criteria or ONE_CRITERION)),
    ):
        (folder / name).write_text(
            yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
    return folder / "campaign.yaml"


def campaign(
    folder: Path,
    of_units: Sequence[Mapping[str, Any]] | None = None,
    *,
    scored_by: Mapping[str, Any] | None = None,
    **more: Any,
) -> CampaignFile:
    """Return a campaign read from files written into a folder; `scored_by` is its set of criteria."""
    return read_campaign(write_campaign(folder, campaign_data(**more), of_units, scored_by))
