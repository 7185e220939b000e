"""A newcomer's first ten minutes: serve, open the letter's campaign, hand in, read the letters, stop."""

import os
import re
import signal
import sqlite3
from contextlib import closing

import httpx
import psutil

from flows.deploying import declared
from tests.service.conftest import Service, wait_until


def rows(service, query: str) -> list[tuple]:
    with closing(sqlite3.connect(service.home / "congnhan.db", timeout=30)) as database:
        return database.execute(query).fetchall()


def test_it_says_where_everything_is_and_everything_is_there(service):
    words = service.words()
    for address in (service.web, service.api.removesuffix("/api"), f"{service.web}/thu"):
        assert address in words
    assert httpx.get(f"{service.web}/healthz").status_code == 200
    assert "congnhan_up 1" in httpx.get(f"{service.web}/metrics").text
    names = {each["name"] for each in service.ask("/deployments/filter", {"limit": 100})}
    assert names == {each["name"] for each in declared()}
    assert "Zalo" in words


def test_a_newcomer_opens_a_campaign_hands_in_and_reads_the_letters(service):
    service.command("example")
    file = next((service.folder / "vi-du/campaigns").glob("mau-*[0-9].yaml"))
    code = file.stem
    opened = service.fill_in("open-campaign/open", by="MẪU", file=f"vi-du/campaigns/{file.name}")
    assert opened["state_type"] == "COMPLETED", opened["state"]["message"]
    assert opened["name"] == f"mở đợt · {code}"

    def coming() -> list[str]:
        wanted = {"state": {"type": {"any_": ["SCHEDULED"]}}, "tags": {"all_": [code]}}
        return [run["name"] for run in service.runs(flow_runs=wanted)]

    # The dates are put in one after another, so one is waited for by its name.
    first = wait_until(lambda: [name for name in coming() if "nhắc T-1 · 7 đơn vị" in name])
    assert first[0].startswith(f"{code} · ")
    wait_until(lambda: rows(service, "SELECT 1 FROM work_items WHERE kind = 'dossier'"))

    handed_in = service.fill_in("submit-dossier/submit", by="MẪU", code=code, unit="san-thang", via="paper")
    assert handed_in["state_type"] == "COMPLETED", handed_in["state"]["message"]
    assert rows(service, "SELECT name FROM work_items WHERE state = 'done' AND kind = 'dossier'") == [
        ("dossier/san-thang",)
    ]
    done_by = rows(service, "SELECT done_by FROM journal WHERE what = 'handed_in'")
    assert done_by == [("MẪU",)]
    # The receipt leaves at once, whatever the hour; the coming dates count one commune less.
    wait_until(lambda: "san-thang" in httpx.get(f"{service.web}/thu").text)
    wait_until(lambda: any("nhắc T-1 · 6 đơn vị" in name for name in coming()))
    wait_until(lambda: not any("7 đơn vị" in name and "nhắc" in name for name in coming()))
    artifacts = service.ask("/artifacts/latest/filter", {"limit": 20})
    shown = {each["key"]: each for each in artifacts}
    assert {f"bang-{code}", f"bieu-do-{code}", f"tien-do-{code}"} <= set(shown)
    wait_until(lambda: "1/7" in str(service.ask("/artifacts/latest/filter", {"limit": 20})))
    done = re.compile(r"1/7 hồ sơ · gửi \d+ · lỗi 0")
    wait_until(lambda: any(done.fullmatch(run["name"]) for run in service.runs()))


def test_the_doctor_finds_the_engine_and_everything_at_work(service):
    for name in ("campaign-tick/sweep", "deliver-letters/delivery", "watch/watchdog"):
        service.force(name)
    words = wait_until(lambda: (said := service.command("doctor")) and "chưa lần nào" not in said and said)
    assert f"{service.api} trả lời, đã có deployment" in words
    # Late in the year the next one is only computed, which is for people to mend.
    assert [line for line in words.splitlines() if "LỖI" in line and "lịch nghỉ" not in line] == []


def test_a_refused_form_is_a_failed_run_that_says_what_to_do(service):
    refused = service.fill_in("submit-dossier/submit", by="MẪU", code="khong-co", unit="a")
    assert refused["state_type"] == "FAILED"
    assert "khong-co" in refused["state"]["message"]
    assert "Traceback" not in refused["state"]["message"]


def test_the_forms_are_in_vietnamese_and_typed(service):
    schema = service.ask("/deployments/name/extend-term/extend")["parameter_openapi_schema"]
    text = str(schema)
    assert "Số, ký hiệu văn bản" in text
    assert "Đến hết ngày" in text
    for name in ("open-campaign/open", "waive/waive", "settle-letter/settle", "amend-plan/amend"):
        assert "Người thực hiện" in str(service.ask(f"/deployments/name/{name}")["parameter_openapi_schema"])


def test_a_part_that_dies_is_restarted_and_said(service):
    parent = psutil.Process(service.process.pid)
    web = next(each for each in parent.children() if "web" in each.cmdline())
    web.kill()
    wait_until(lambda: "web đã dừng bất thường" in service.words())
    wait_until(lambda: httpx.get(f"{service.web}/health").status_code == 200)


def test_killed_it_leaves_nothing_behind_and_settles_its_runs_at_the_next_start(service):
    parent = psutil.Process(service.process.pid)
    children = parent.children(recursive=True)
    assert children
    run = next(iter(service.runs(flow_runs={"state": {"type": {"any_": ["COMPLETED"]}}})))
    state = {"type": "RUNNING", "name": "Running"}
    service.ask(f"/flow_runs/{run['id']}/set_state", {"state": state, "force": True})
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    service.start()
    assert service.ask(f"/flow_runs/{run['id']}")["state_type"] == "CRASHED"
    children = psutil.Process(service.process.pid).children(recursive=True)
    assert service.stop(signal.SIGINT) == 0
    assert service.words().rstrip().endswith("Đã dừng.")
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_one_setting_locks_the_server_and_its_ui(tmp_path):
    locked = Service(tmp_path, CONGNHAN_PREFECT_AUTH="truc:mat-khau-MAU")
    try:
        locked.start()
        assert httpx.post(f"{locked.api}/deployments/filter", json={}, timeout=60).status_code == 401
        locked.auth = ("truc", "mat-khau-MAU")
        assert len(locked.ask("/deployments/filter", {"limit": 100})) == len(declared())
        run = locked.force("campaign-tick/sweep")
        path = f"/flow_runs/{run}"
        done = wait_until(lambda: (found := locked.ask(path))["state_type"] == "COMPLETED" and found)
        assert done["name"].startswith("0/0 hồ sơ")
        assert "mat-khau-MAU" not in locked.words()
        for log in (locked.home / "logs").glob("*.log"):
            assert "mat-khau-MAU" not in log.read_text(encoding="utf-8"), log
    finally:
        assert locked.stop() == 0
