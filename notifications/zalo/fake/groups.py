"""The fake's group chats (GMF): messages, members, and what may be done with groups of the account."""

from datetime import timedelta
from typing import Any

from notifications.zalo.fake.attachments import problem_of
from notifications.zalo.fake.replies import envelope, error, part, whole
from notifications.zalo.fake.state import FakeGroup, State

LONGEST_TEXT = 2000
MOST_MEMBERS = 99
LATELY = timedelta(days=7)


def send(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """Answer a message into a group."""
    group_id, message = str(part(body, "recipient").get("group_id", "")), part(body, "message")
    text, group = message.get("text", ""), _ours(state, group_id)
    if not isinstance(group, FakeGroup):
        return error(*group)
    if problem := problem_of(state, message, in_group=True):
        return error(*problem)
    if not isinstance(text, str) or not (text or message.get("attachment")):
        return error(-201, "text is invalid!")
    if len(text) > LONGEST_TEXT:
        return error(-210, "Parameter text exceeds allowable limit")
    return envelope({"message_id": state.keep("gmf", group_id, body), "group_id": group_id})


def manage(state: State, deed: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer the making of a group, an invitation, a change of its name."""
    if deed == "creategroupwithoa":
        return _made(state, body)
    group = _ours(state, str(body.get("group_id", "")))
    if not isinstance(group, FakeGroup):
        return error(*group)
    if deed == "updateinfo":
        group.name = str(body.get("group_name") or group.name)
        return envelope({})
    invited = _invited(state, body.get("member_user_ids"))
    if not isinstance(invited, list):
        return error(*invited)
    group.members += invited
    return envelope({})


def look_up(state: State, question: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer which groups the account has, or who is in one; raises ValueError for what is no number."""
    first, count = whole(asked.get("offset", 0)), whole(asked.get("count", 50))
    if question == "getgroupsofoa":
        groups = [_described(*each) for each in list(state.groups.items()) if each[1].ours]
        return envelope({"groups": groups[first : first + count], "total": len(groups)})
    group = state.groups.get(str(asked.get("group_id", "")))
    if group is None or not group.ours:
        return error(-403, "OA is not in group")
    members = [{"id": each} for each in group.members]
    return envelope({"members": members[first : first + count], "total": len(members)})


def _described(group_id: str, group: FakeGroup) -> dict[str, Any]:
    told = {"group_id": group_id, "name": group.name}
    return told | {"auto_delete_date": group.auto_delete_date} if group.auto_delete_date else told


def _made(state: State, body: dict[str, Any]) -> dict[str, Any]:
    members, asset_id = _invited(state, body.get("member_user_ids", [])), str(body.get("asset_id") or "")
    if not isinstance(members, list):
        return error(*members)
    if asset_id in state.assets_used:
        return error(-238, "asset_id was used")
    # One purchased asset is one group; a call that names none is not checked.
    state.assets_used |= {asset_id} - {""}
    group_id = f"g{state.number()}"
    state.groups[group_id] = FakeGroup(str(body.get("group_name", "")), members=members)
    return envelope({"group_id": group_id, "group_link": f"https://zalo.me/g/{group_id}"})


def _invited(state: State, invited: Any) -> list[str] | tuple[int, str]:
    """Whom the fake does not know may come; whoever it knows has to follow or to have written lately."""
    if not isinstance(invited, list):
        return (-201, "member_user_ids is invalid!")
    if len(invited) > MOST_MEMBERS:
        return (-210, "Parameter member_user_ids exceeds allowable limit")
    uids = [str(each) for each in invited]
    known = [state.users[uid] for uid in uids if uid in state.users]
    if any(user.blocked for user in known):
        return (-217, "User has blocked invitation")
    if not all(user.followed or user.wrote_within(LATELY, state.clock()) for user in known):
        return (-213, "User has not followed OA")
    return uids


def _ours(state: State, group_id: str) -> FakeGroup | tuple[int, str]:
    group = state.groups.get(group_id)
    if group is None or not group.ours:
        return (-403, "OA is not in group")
    return (-237, "Group was disabled") if group.disabled else group
