"""What the Prefect UI shows, against a real server: the coming weeks as runs, deeds as forms, boards."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError

from flows import desk
from flows.board import chart, show_boards
from flows.deed_forms import AmendForm, ExtendForm, OpenForm, RegisterForm, ReturnForm, SubmitForm, WaiveForm
from flows.deploying import declared, deploy_all, settle_left_behind
from flows.housekeeping import remove_old
from flows.timeline import planned, sync_timeline
from models.campaigns import get_campaign
from models.database import transaction
from models.progress import progress_of
from rules.calendar import CITY, By, WithinWorkingDays
from tests import factories
from tests.walking import change, rows

pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture(scope="module")
def deployed(prefect) -> list[str]:
    return deploy_all()


@pytest.fixture
def opened(database, tmp_path: Path) -> str:
    """A campaign that opened by form today, in an office that works day and night."""
    today = datetime.now(CITY).date()
    days = [(today + timedelta(days=n)).isoformat() for n in range(-10, 60)]
    path = factories.write_campaign(
        tmp_path / "files",
        factories.campaign_data(
            calendar={
                "office_hours": ["00:00", "23:59"],
                "sending_windows": [["00:00", "23:59"]],
                "overrides": [{"date": day, "working": True, "source": "MẪU"} for day in days],
            },
            stages={
                "self_assessment": {"opens_on": days[10], "due": {"before": days[25]}, "wait_for_all": False},
                "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
            },
            legal_basis=[
                {"number": f"{role}/MẪU", "date": days[9], "kind": "CV", "role": role}
                for role in ("plan", "team", "launch")
            ],
        ),
    )
    state = desk.open_by_form(OpenForm(by="MẪU văn thư", file=str(path)), return_state=True)
    assert state.is_completed()
    assert "mau-2021" in state.message
    return "mau-2021"


def scheduled() -> dict[str, str]:
    """The names and states of the runs of the timeline."""
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("campaign-tick/timeline")
        runs = client.read_flow_runs(limit=200)
        return {run.name: run.state_name for run in runs if run.deployment_id == deployment.id}


def ticked(moment: datetime) -> None:
    from flows.campaign import tick  # noqa: PLC0415

    tick(moment)


def test_every_deployment_is_put_in_and_again_without_a_second(deployed):
    assert len(deployed) == len(declared())
    assert deploy_all() == deployed
    with get_client(sync_client=True) as client:
        assert len(client.read_deployments(limit=100)) == len(declared())


def test_the_coming_dates_stand_as_runs_follow_the_plan_and_go_when_it_is_over(deployed, opened):
    now = datetime.now(CITY)
    ticked(now)
    first = sync_timeline(now)
    assert first.put_in == len(planned(now)) == first.standing
    names = scheduled()
    assert any("nhắc T-1 · 2 đơn vị" in name and name.startswith("mau-2021 · ") for name in names)
    assert sync_timeline(now) == type(first)(0, 0, 0, first.standing)
    desk.submit_by_form(SubmitForm(by="MẪU", code=opened, unit="a"))
    assert sync_timeline(now).renamed > 0
    assert any("nhắc T-1 · 1 đơn vị" in name for name in scheduled())
    later = now.date() + timedelta(days=25)
    desk.extend_by_form(
        ExtendForm(
            by="MẪU",
            code=opened,
            units=["b"],
            until=later,
            reason="MẪU",
            number="9/CV-MẪU",
            issued_on=now.date(),
        )
    )
    moved = sync_timeline(now)
    assert moved.put_in > 0
    assert moved.taken_out > 0
    # What was extended ends later, for itself alone; the stage's own end stays as it was.
    ends = f"{later + timedelta(days=1):%d/%m} 00:00 · hết hạn nhận · còn 1 đơn vị"
    assert any(ends in name for name in scheduled())
    change("UPDATE campaigns SET side_state = 'cancelled'")
    assert sync_timeline(now).standing == 0
    assert scheduled() == {}


def test_a_deed_by_form_is_in_the_journal_with_who_and_a_refused_one_changes_nothing(opened):
    ticked(datetime.now(CITY))
    desk.waive_by_form(WaiveForm(by="MẪU trưởng phòng", code=opened, units=["b"], reason="mới sáp nhập"))
    assert rows("SELECT done_by, what FROM journal ORDER BY id DESC LIMIT 1") == [
        ("MẪU trưởng phòng", "waived")
    ]
    before = rows("SELECT COUNT(*) FROM journal")
    state = desk.return_by_form(
        ReturnForm(by="MẪU", code=opened, unit="a", reasons=["MẪU"]), return_state=True
    )
    assert state.is_failed()
    assert "a" in state.message
    both = desk.extend_by_form(
        ExtendForm(
            by="MẪU",
            code=opened,
            units=["a"],
            reason="MẪU",
            number="9/CV",
            issued_on=date(2021, 11, 11),
            until=date(2021, 12, 1),
            within=3,
        ),
        return_state=True,
    )
    assert both.is_failed()
    assert rows("SELECT COUNT(*) FROM journal") == before


def test_what_is_filled_in_wrongly_is_said_in_one_line_of_a_clerks_language(opened):
    before = rows("SELECT COUNT(*) FROM journal")
    who = {"by": "MẪU", "code": opened}
    paper = who | {"number": "9/CV", "issued_on": "2021-11-11"}
    too_much = paper | {"units": ["a"], "reason": "lũ", "within": 3, "until_hour": "16:00"}
    for deed, form, said in (
        (desk.submit_by_form, who | {"by": " ", "unit": "a"}, "Người thực hiện"),
        (desk.submit_by_form, who | {"unit": "a", "at": "hôm qua"}, "Thời điểm việc xảy ra"),
        (desk.submit_by_form, who | {"unit": "a", "don_vi": "b"}, "don_vi"),
        (desk.resend_by_form, {"by": "MẪU", "number": 2**40}, "Số thư"),
        (desk.register_by_form, paper | {"changes_number": "1/CV"}, "Sửa văn bản trước thì ghi cả"),
        (desk.extend_by_form, too_much, "Ghi một thời hạn"),
    ):
        state = deed(form, return_state=True)
        assert state.is_failed()
        assert said in state.message
        assert "\n" not in state.message
        with get_client(sync_client=True) as client:
            run = client.read_flow_run(state.state_details.flow_run_id)
        assert run.name.startswith("không ghi nhận: ")
    assert rows("SELECT COUNT(*) FROM journal") == before


def test_a_number_that_would_break_every_list_of_runs_is_refused_before_there_is_a_run(deployed):
    # One whose parameters hold more than 64 bits makes the server answer 500 to whoever lists runs.
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("resend-letter/resend")
        with pytest.raises(PrefectHTTPStatusError, match=r"form\.number"):
            client.create_flow_run_from_deployment(
                deployment.id, parameters={"form": {"by": "MẪU", "number": 10**22}}
            )
        client.read_flow_runs(limit=200)


def test_a_paper_and_a_change_of_plan_by_form(opened):
    today = datetime.now(CITY).date()
    ticked(datetime.now(CITY))
    desk.register_by_form(
        RegisterForm(by="MẪU", code=opened, roles=["urging"], number="8/CV-MẪU", issued_on=today)
    )
    desk.amend_by_form(
        AmendForm(
            by="MẪU",
            code=opened,
            number="9/CV-MẪU",
            issued_on=today,
            reason="lũ",
            stage="self_assessment",
            due_on=today + timedelta(days=30),
        )
    )
    assert [row[0] for row in rows("SELECT number FROM papers ORDER BY id DESC LIMIT 2")] == [
        "9/CV-MẪU",
        "8/CV-MẪU",
    ]
    assert rows("SELECT MAX(version) FROM deadlines WHERE stage = 'self_assessment'") == [(2,)]


def test_forms_ask_in_vietnamese_and_mean_city_time():
    form = ExtendForm(by="x", code="c", units=["a"], reason="r", number="1", issued_on=date(2021, 11, 11))
    schema = str(ExtendForm.model_json_schema())
    for title in ("Người thực hiện", "Mã các đơn vị", "Số, ký hiệu văn bản", "Đến hết ngày"):
        assert title in schema
    now = datetime(2021, 11, 16, 20, 0, tzinfo=CITY)
    assert form.term(now) is None
    assert form.model_copy(update={"within": 3}).term(now) == WithinWorkingDays(3, date(2021, 11, 16))
    by_hour = form.model_copy(update={"until": date(2021, 11, 30), "until_hour": time(16)})
    assert by_hour.term(now) == By(date(2021, 11, 30), time(16))
    earlier = form.model_copy(update={"at": datetime(2021, 11, 16, 8, 0)})  # noqa: DTZ001
    assert earlier.moment(now) == datetime(2021, 11, 16, 8, 0, tzinfo=CITY)


def test_a_board_is_new_only_where_something_is(opened):
    ticked(datetime.now(CITY))
    assert show_boards() == 3
    assert show_boards() == 0
    desk.submit_by_form(SubmitForm(by="MẪU", code=opened, unit="a"))
    assert show_boards() == 3
    assert Artifact.get(f"tien-do-{opened}").data == 50.0
    with transaction() as session:
        text = chart("MẪU", progress_of(session, get_campaign(session, opened)))
    assert "1/2 (+1)" in text
    assert "ngày cuối nhận hồ sơ" in text


def test_runs_left_behind_are_settled_and_old_ones_removed(deployed):
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(client.read_deployment_by_name("campaign-tick/sweep").id)
        from prefect.states import Running  # noqa: PLC0415

        client.set_flow_run_state(run.id, Running(), force=True)
        assert settle_left_behind() >= 1
        assert client.read_flow_run(run.id).state_type.value == "CRASHED"
    runs, _ = remove_old(datetime.now(CITY) + timedelta(days=31))
    assert runs >= 1
