"""A ward that runs a campaign for its own groups, and a province with 38 communes: both rehearsed."""

from collections import Counter
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from config.campaign_file import CampaignFile, read_campaign
from flows.rehearsal import rehearse
from models.account import NoticeAccount, notices_of
from models.campaigns import get_campaign
from models.database import Database, transaction, using
from rules.notices import NoticeState
from tests.factories import ROOT


class Rehearsed:
    """A campaign without a script: its file, its notices and its letters."""

    def __init__(self, name: str, folder: Path, database: Database) -> None:
        self.file: CampaignFile = read_campaign(ROOT / "config/campaigns" / f"{name}.yaml")
        rehearse(self.file, (), database=database, letters=folder)
        with using(database), transaction() as session:
            self.notices: list[NoticeAccount] = notices_of(session, get_campaign(session, self.file.code))
        self.letters = [
            message_from_bytes(path.read_bytes(), policy=default) for path in folder.glob("*.eml")
        ]

    def to(self, role: str, step: str, state: NoticeState = NoticeState.SAID) -> list[str]:
        """The units about whose dossiers this role was told at a step."""
        return [
            each.unit or ""
            for each in self.notices
            if each.item.startswith("dossier/") and (each.role, each.step, each.state) == (role, step, state)
        ]


@pytest.fixture(scope="module")
def ward(tmp_path_factory, emptied) -> Rehearsed:
    return Rehearsed("phuong-tan-phong-2026", tmp_path_factory.mktemp("ward"), emptied())


@pytest.fixture(scope="module")
def province(tmp_path_factory, emptied) -> Rehearsed:
    return Rehearsed("tinh-lai-chau-2025", tmp_path_factory.mktemp("province"), emptied())


def test_in_a_ward_the_groups_owe_the_dossiers(ward):
    assert [unit.kind for unit in ward.file.owing] == ["group"] * 12
    assert {each.item for each in ward.notices if each.item.startswith("dossier/")} == {
        f"dossier/{unit.code}" for unit in ward.file.owing
    }


def test_a_group_with_a_telephone_only_is_called_by_the_standing_office(ward):
    mute = {unit.code for unit in ward.file.owing if not unit.contacts[0].email}
    assert len(mute) == 10
    assert set(ward.to("officer", "before:3", NoticeState.FAILED)) == mute
    lost = [
        letter
        for letter in ward.letters
        if str(letter["Subject"]).startswith("[Chưa gửi được thư]") and "20 Oct 2026" in str(letter["Date"])
    ]
    assert len(lost) == 2  # one to each officer of the standing office, for all groups together
    text = lost[0].get_body(("plain",)).get_content()
    phones = [unit.contacts[0].phone for unit in ward.file.owing if unit.code in mute]
    assert all(phone in text for phone in phones)


def test_the_head_of_a_group_owes_its_dossier_so_that_step_goes_one_level_up(ward):
    codes = [unit.code for unit in ward.file.owing]
    assert sorted(ward.to("standing_head", "after:1")) == sorted(codes)
    assert ward.to("unit_head", "after:1") == []
    assert sorted(ward.to("chairman", "after:3")) == sorted(codes)


def test_people_of_a_group_are_addressed_as_such(ward):
    reminders = [
        letter.get_body(("plain",)).get_content()
        for letter in ward.letters
        if str(letter["Subject"]).startswith("[Nhắc hạn") and "MẪU" in str(letter["Subject"])
    ]
    assert len(reminders) == 2  # the two that have an address, before the deadline
    for text in reminders:
        assert "Kính gửi: Ông/bà Họ Tên MẪU" in text
        assert "Ủy ban nhân dân tổ dân phố" not in text
        assert "Ủy ban nhân dân bản" not in text


def test_a_province_has_its_38_communes_and_two_that_cannot_be_written_to(province):
    assert Counter(unit.name.partition(" ")[0] for unit in province.file.owing) == {"xã": 36, "phường": 2}
    assert len(province.to("officer", "before:5")) == 36
    assert sorted(province.to("officer", "before:5", NoticeState.FAILED)) == ["mu-ca", "pa-u"]


def test_the_leaders_of_a_province_get_one_digest_of_all_communes(province):
    for role, step in (("standing_head", "after:2"), ("vice_chairman", "after:4"), ("chairman", "after:6")):
        lines = [
            each
            for each in province.notices
            if (each.role, each.step) == (role, step) and each.item.startswith("dossier/")
        ]
        assert len(lines) == 38
        assert len({each.letter for each in lines}) == 1
    digest = next(letter for letter in province.letters if "38 đơn vị chưa gửi" in str(letter["Subject"]))
    text = digest.get_body(("plain",)).get_content()
    named = [text.index(unit.name[1:]) for unit in province.file.owing]
    assert named == sorted(named)  # in official order


def test_the_standing_office_of_a_province_signs(province):
    assert all("SỞ NỘI VỤ" in letter.get_body(("plain",)).get_content() for letter in province.letters)
