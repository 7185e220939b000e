"""Group chats of the fake: who may be invited, what may be altered, how they are listed."""

from collections.abc import Callable
from typing import Any

import pytest

from notifications.zalo.fake import FakeGroup, FakeUser, FakeZalo
from tests.notifications.zalo.fake.asking import Caller
from tests.notifications.zalo.sending import GROUP, UID

ALTER: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "invite": lambda group: ("invite", {"group_id": group, "member_user_ids": [UID]}),
    "updateinfo": lambda group: ("updateinfo", {"group_id": group, "group_name": "MẪU 2"}),
}


@pytest.mark.parametrize("deed", ALTER)
@pytest.mark.parametrize(("group", "code"), [(GROUP, 0), ("g-over", -237), ("g-theirs", -403), ("9", -403)])
def test_group_is_altered_where_it_is_ours(
    caller: Caller, zalo: FakeZalo, deed: str, group: str, code: int
) -> None:
    zalo.groups.update({"g-over": FakeGroup(disabled=True), "g-theirs": FakeGroup(ours=False)})
    path, body = ALTER[deed](group)
    assert caller.oa(f"/v3.0/oa/group/{path}", body)["error"] == code
    now = zalo.groups[GROUP]
    done = {"invite": ("MẪU", [UID]), "updateinfo": ("MẪU 2", [])}[deed]
    assert (now.name, now.members) == (done if code == 0 else ("MẪU", []))


@pytest.mark.parametrize(
    ("invited", "code"),
    [
        pytest.param(["8"], -213, id="stranger"),
        pytest.param(["9"], -217, id="blocked"),
        pytest.param([str(number) for number in range(100, 199)], 0, id="99"),
        pytest.param([str(number) for number in range(100, 200)], -210, id="100"),
        pytest.param(None, -201, id="none"),
    ],
)
def test_group_takes_who_may_be_invited(caller: Caller, zalo: FakeZalo, invited: object, code: int) -> None:
    zalo.users.update({"8": FakeUser("8", followed=False), "9": FakeUser("9", blocked=True)})
    body = {"group_name": "MẪU", "asset_id": "a-1", "member_user_ids": invited}
    assert caller.oa("/v3.0/oa/group/creategroupwithoa", body)["error"] == code


def test_asset_makes_one_group(caller: Caller) -> None:
    body = {"group_name": "MẪU", "asset_id": "a-1", "member_user_ids": [UID]}
    assert [caller.oa("/v3.0/oa/group/creategroupwithoa", body)["error"] for _ in range(2)] == [0, -238]


def test_groups_are_listed_in_pages_with_their_end(caller: Caller, zalo: FakeZalo) -> None:
    zalo.groups["g-2"] = FakeGroup("MẪU 2", auto_delete_date="1798000000000")
    zalo.groups["g-theirs"] = FakeGroup(ours=False)
    url = f"{zalo.addresses.oa}/v3.0/oa/group/getgroupsofoa"
    listed = caller.get(url, data='{"offset":1,"count":5}')["data"]
    last = {"group_id": "g-2", "name": "MẪU 2", "auto_delete_date": "1798000000000"}
    assert listed == {"groups": [last], "total": 2}
