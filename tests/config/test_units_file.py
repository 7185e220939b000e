"""Units files: who stands in them, and one line for each mistake, at its line of the units file."""

import shutil
from datetime import date
from pathlib import Path

import pytest

import config
from config.campaign_file import CampaignFileInvalid, read_campaign

SHIPPED = Path(config.__file__).parent
CAMPAIGN = "campaigns/lai-chau-2021.yaml"
UNITS = "units/lai-chau-2021.yaml"
OFFICER = (
    "{name: Họ Tên MẪU 28, title: công chức Văn hóa - Xã hội, role: officer, email: san-thang@mau.example"
)


@pytest.fixture
def folder(tmp_path):
    for name in ("campaigns", "units", "criteria"):
        shutil.copytree(SHIPPED / name, tmp_path / name)
    return tmp_path


def change(folder, old, new):
    text = (folder / UNITS).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    (folder / UNITS).write_text(text.replace(old, new), encoding="utf-8")


def refuses(folder, piece, word):
    """Check that there is one problem: in the units file, at the line of this piece, with this word."""
    with pytest.raises(CampaignFileInvalid) as refused:
        read_campaign(folder / CAMPAIGN)
    assert len(refused.value.problems) == 1, str(refused.value)
    (only,) = refused.value.problems
    text = (folder / UNITS).read_text(encoding="utf-8")
    line = text[: text.index(piece)].count("\n") + 1
    assert (only.file, only.line) == (str(folder / UNITS), line), str(only)
    assert word in only.text


def without_contacts(folder, code, *, keep=()):
    """Take every contact line of a unit away, but those that hold one of these words."""
    lines, inside, kept = (folder / UNITS).read_text(encoding="utf-8").splitlines(), False, []
    for line in lines:
        if line.startswith("  - code: "):
            inside = line == f"  - code: {code}"
        is_contact = line.startswith("      - {name:")
        if inside and is_contact and not any(word in line for word in keep):
            continue
        if inside and line == "    contacts:" and not keep:
            continue
        kept.append(line)
    (folder / UNITS).write_text("\n".join(kept) + "\n", encoding="utf-8")


@pytest.mark.parametrize("code", ["san-thang", "phong-tu-phap", "phong-noi-vu", "ubnd-thanh-pho"])
def test_refuses_a_unit_that_takes_part_with_nobody_to_write_to(folder, code):
    without_contacts(folder, code)
    refuses(folder, f"- code: {code}\n", code)


@pytest.mark.parametrize("code", ["san-thang", "phong-tu-phap", "phong-noi-vu"])
def test_refuses_a_unit_that_owes_something_without_an_officer(folder, code):
    without_contacts(folder, code, keep=("role: unit_head",))
    refuses(folder, f"- code: {code}\n", "officer")


def test_accepts_an_organiser_without_an_officer(folder):
    organiser = read_campaign(folder / CAMPAIGN).units[0]
    assert (organiser.code, organiser.has("officer")) == ("ubnd-thanh-pho", False)


def test_accepts_a_unit_that_takes_no_part_with_nobody_in_it(folder):
    with (folder / UNITS).open("a", encoding="utf-8") as file:
        file.write("  - {code: phong-y-te, valid_from: 2021-02-01, name: phòng Y tế, kind: agency}\n")
    assert read_campaign(folder / CAMPAIGN).units[-1].code == "phong-y-te"


@pytest.mark.parametrize(
    ("old", "new", "at", "word"),
    [
        pytest.param("code: san-thang\n", "code: sung-phai\n", None, "sung-phai", id="code-twice"),
        pytest.param('"03409"', '"03403"', None, "03403", id="official-code-twice"),
        pytest.param("code: san-thang\n", "code: San Thàng\n", "code: San", "San Thàng", id="not-a-slug"),
        pytest.param("kind: front", "kind: party", "kind: party", "front", id="unknown-kind"),
        pytest.param("relation: peer", "relation: pear", "relation: pear", "peer", id="unknown-relation"),
        pytest.param("    address: ", "    adress: ", "adress:", "'address'", id="unknown-key"),
        pytest.param(
            '@mau.example, phone: "0213 000 0028"',
            ', phone: "0213 000 0028"',
            OFFICER[:20],
            "san-thang",
            id="e-mail",
        ),
        pytest.param(
            "email: san-thang@", "email: sân-thàng@", "sân-thàng@", "sân-thàng", id="e-mail-not-ascii"
        ),
        pytest.param('"0213 000 0028"', '"0213"', '"0213"', "0213", id="impossible-phone"),
        pytest.param('"0213 000 0028"', '"gọi sau"', '"gọi sau"', "gọi sau", id="no-phone"),
        pytest.param(
            OFFICER, OFFICER + ", acting_for: Nguyễn Văn Không", OFFICER, "Nguyễn Văn Không", id="acting-for"
        ),
        pytest.param(
            OFFICER,
            OFFICER + ", acting_for: Họ Tên MẪU 29, acting_from: 2021-11-20, acting_until: 2021-11-10",
            OFFICER,
            "acting_until",
            id="acting-backwards",
        ),
        pytest.param(
            "[Bản MẪU 01, Bản MẪU 02]",
            "[Bản MẪU 01, Bản MẪU 01]",
            "[Bản MẪU 01, Bản MẪU 01]",
            "sung-phai",
            id="group",
        ),
    ],
)
def test_refuses_what_cannot_be(folder, old, new, at, word):
    change(folder, old, new)
    if at is None:  # the second of two places that are alike
        text = (folder / UNITS).read_text(encoding="utf-8")
        piece = new.strip()
        second = text.index(piece, text.index(piece) + 1)
        with pytest.raises(CampaignFileInvalid) as refused:
            read_campaign(folder / CAMPAIGN)
        assert [(p.file, p.line) for p in refused.value.problems] == [
            (str(folder / UNITS), text[:second].count("\n") + 1)
        ]
        assert word in refused.value.problems[0].text
        return
    refuses(folder, at, word)


def test_refuses_an_unknown_parent(folder):
    change(
        folder,
        "name: xã San Thàng\n    kind: commune\n    parent: ubnd-thanh-pho",
        "name: xã San Thàng\n    kind: commune\n    parent: ubnd-huyen",
    )
    refuses(folder, "parent: ubnd-huyen", "ubnd-huyen")


def test_refuses_a_deputy_of_one_of_two_people_with_the_same_name(folder):
    change(folder, OFFICER, OFFICER + ", acting_for: Họ Tên MẪU 29")
    change(folder, "name: Họ Tên MẪU 27", "name: Họ Tên MẪU 29")
    refuses(folder, OFFICER, "Họ Tên MẪU 29")


def test_the_same_official_code_may_be_used_again_later(folder):
    with (folder / UNITS).open("a", encoding="utf-8") as file:
        file.write(
            '  - {code: tan-phong-2025, official_code: "03408", valid_from: 2025-07-01, '
            "name: phường Tân Phong, kind: agency}\n"
        )
    reused = read_campaign(folder / CAMPAIGN).units[-1]
    assert (reused.official_code, reused.valid_from) == ("03408", date(2025, 7, 1))


def test_official_codes_keep_their_zero_even_without_quotes(folder):
    change(folder, '"03409"', "03409")
    assert read_campaign(folder / CAMPAIGN).owing[-1].official_code == "03409"


def test_phones_and_addresses_stay_as_they_were_written(folder):
    officer = read_campaign(folder / CAMPAIGN).owing[-1].contacts[0]
    assert (officer.code, officer.phone) == ("san-thang.1", "0213 000 0028")
