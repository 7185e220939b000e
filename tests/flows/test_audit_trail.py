"""`congnhan journal`, and what the dry run before opening tells."""

import json
import sqlite3

import pytest

from tests import factories


@pytest.fixture
def opened(run, opened) -> str:
    """A campaign opened by command, with two entries by a person."""
    assert run("tick", "--now", "2021-11-11T07:30")[0] == 0
    for unit in ("a", "b"):
        said = ("submit", opened, unit, "--at", "2021-11-16T16:50", "--now", "2021-11-17T09:00")
        assert run(*said, "--by", "MẪU B")[0] == 0
    return opened


def test_the_journal_says_who_did_what_when_and_when_it_was_recorded(run, opened):
    code, out, _ = run("journal", opened, "--json", "--what", "handed_in")
    assert code == 0
    assert [
        (each["unit"], each["by"], each["happened_at"], each["recorded_at"]) for each in json.loads(out)
    ] == [
        ("a", "MẪU B", "2021-11-16T16:50:00+07:00", "2021-11-17T09:00:00+07:00"),
        ("b", "MẪU B", "2021-11-16T16:50:00+07:00", "2021-11-17T09:00:00+07:00"),
    ]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--unit", "a"), 1),
        (("--by", "MẪU B"), 2),
        (("--since", "2021-11-17T09:00"), 2),
        (("--before", "2021-11-11T07:30"), 0),
        (("--by", "MẪU A", "--what", "opened"), 1),
    ],
    ids=["unit", "by", "since", "before", "both"],
)
def test_the_journal_can_be_asked(run, opened, options, count):
    assert len(json.loads(run("journal", opened, "--json", *options)[1])) == count


def test_the_journal_is_read_by_a_clerk_in_vietnamese(run, opened):
    out = " ".join(run("journal", opened)[1].split())
    for words in ("T4 17/11/2021 09:00", "T3 16/11/2021 16:50", "MẪU B", "Nhận hồ sơ (bản giấy,"):
        assert words in out


def test_a_whole_journal_is_proved_by_its_last_hash(run, opened):
    entries = json.loads(run("journal", opened, "--json")[1])
    code, out, err = run("journal", opened, "--verify")
    assert (code, err) == (0, "")
    assert entries[-1]["hash"] in out
    assert json.loads(run("journal", opened, "--verify", "--json")[1])["entries"] == len(entries)


def test_a_journal_that_was_tampered_with_is_found_and_the_entry_named(run, opened, tmp_path):
    connection = sqlite3.connect(next((tmp_path / "data").glob("*.db")))
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("UPDATE journal SET done_by = 'MẪU C' WHERE number = 3")
    connection.commit()
    code, _, err = run("journal", opened, "--verify")
    assert code == 1
    assert "mục 3" in err


def test_the_dry_run_opens_nothing_and_tells_who_gets_what_and_when(run, tmp_path):
    path = factories.write_campaign(tmp_path / "files")
    code, out, _ = run("open", path, "--dry-run")
    told = " ".join(out.split())
    assert code == 0
    for words in ("T3 16/11/2021 07:30", "Nhắc hạn (trước 03", "chỉ gửi khi"):
        assert words in told
    assert "Chưa có đợt nào" in run("status")[1]


def test_the_dry_run_names_days_not_yet_decreed_and_units_that_cannot_be_written_to(run, tmp_path):
    stages = {
        "self_assessment": {"opens_on": "2027-03-01", "due": {"by": "2027-03-12"}, "wait_for_all": False},
        "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
    }
    mute = factories.contact("a", "officer", email=None, phone="0213 000 0001")
    of_units = [*factories.units(communes=("b",)), factories.unit("a", contacts=[mute])]
    data = factories.campaign_data(stages=stages)
    path = factories.write_campaign(tmp_path / "files", data, of_units)
    out = " ".join(run("open", path, "--dry-run")[1].split())
    assert "lịch nghỉ năm 2027 chưa được công bố" in out
    assert "1 đơn vị có đầu mối chưa có thư công vụ" in out
