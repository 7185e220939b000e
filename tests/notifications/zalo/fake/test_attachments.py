"""What the fake takes beside a text: buttons, images, files, and what may be uploaded."""

from typing import Any

import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import CS, GROUP_MESSAGE, TEXT, Caller
from tests.notifications.zalo.sending import GROUP, UID


def button(**more: Any) -> dict[str, Any]:
    link = {"title": "Mở biểu mẫu", "type": "oa.open.url", "payload": {"url": "https://mau.example"}}
    return link | more


def buttons(*every: object) -> dict[str, Any]:
    return {"type": "template", "payload": {"buttons": list(every)}}


def media(**element: Any) -> dict[str, Any]:
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}


IMAGE = media(media_type="image", url="https://mau.example/m.png")


WITH_BUTTON = {"type": "template", "payload": IMAGE["payload"] | {"buttons": [button()]}}
ASKED = {"title": "MẪU", "subtitle": "MẪU", "image_url": "https://mau.example/m.png"}


INFO = {"type": "template", "payload": {"template_type": "request_user_info", "elements": [ASKED]}}


QUERY = button(type="oa.query.show", payload="#ACK-123")


@pytest.mark.parametrize(
    ("attachment", "to_person", "to_group"),
    [
        pytest.param(buttons(button(), QUERY), 0, -233, id="buttons"),
        pytest.param(buttons(*[QUERY] * 5), 0, -233, id="five-buttons"),
        pytest.param(buttons(*[QUERY] * 6), -210, -233, id="six-buttons"),
        pytest.param(buttons(button(title="x" * 35)), 0, -233, id="title-at-its-limit"),
        pytest.param(buttons(button(title="x" * 36)), -210, -233, id="title-too-long"),
        pytest.param(buttons(button(title="")), -201, -233, id="no-title"),
        pytest.param(buttons(button(type="oa.open")), -201, -233, id="unknown-button"),
        pytest.param(buttons(button(payload="https://mau.example")), -201, -233, id="address-unwrapped"),
        pytest.param(buttons(button(type="oa.query.hide")), -201, -233, id="query-that-is-no-text"),
        pytest.param(buttons(), -201, -233, id="no-buttons"),
        pytest.param(buttons(7), -201, -233, id="button-that-is-none"),
        pytest.param(IMAGE, 0, 0, id="image"),
        pytest.param(WITH_BUTTON, 0, -233, id="image-with-a-button"),
        pytest.param(media(media_type="image"), -201, -201, id="image-without-a-source"),
        pytest.param(
            media(media_type="image", url="https://mau.example/m.png", attachment_id="MAU"),
            -201,
            -201,
            id="image-with-two-sources",
        ),
        pytest.param(media(media_type="gif", url="https://mau.example/m.gif"), -201, -201, id="gif-unsized"),
        pytest.param(
            media(media_type="gif", url="https://mau.example/m.gif", width=9, height=9), 0, 0, id="gif"
        ),
        pytest.param(media(media_type="film", url="https://mau.example/m.mp4"), -201, -201, id="film"),
        pytest.param(INFO, 0, -233, id="information"),
        pytest.param({"type": "file", "payload": {}}, -201, -201, id="file-without-a-token"),
        pytest.param({"type": "audio", "payload": {}}, -233, -233, id="audio"),
        pytest.param("MAU", -233, -233, id="text"),
    ],
)
def test_attachment_is_accepted_or_not(
    caller: Caller, attachment: object, to_person: int, to_group: int
) -> None:
    message = {"text": TEXT, "attachment": attachment}
    assert caller.oa(CS, {"recipient": {"user_id": UID}, "message": message})["error"] == to_person
    group = {"recipient": {"group_id": GROUP}, "message": message}
    assert caller.oa(GROUP_MESSAGE, group)["error"] == to_group
    assert len(caller.zalo.received) == [to_person, to_group].count(0)


@pytest.mark.parametrize(("attachment", "code"), [(buttons(button()), -201), (IMAGE, 0)])
def test_buttons_need_a_text_and_an_image_none(caller: Caller, attachment: dict[str, Any], code: int) -> None:
    message = {"attachment": attachment}
    assert caller.oa(CS, {"recipient": {"user_id": UID}, "message": message})["error"] == code


@pytest.mark.parametrize(
    ("host", "path", "filename", "size", "code"),
    [
        ("oa", "/v2.0/oa/upload/image", "m.PNG", 1, 0),
        ("oa", "/v2.0/oa/upload/image", "m.gif", 1, -201),
        ("oa", "/v2.0/oa/upload/gif", "m.gif", 1, 0),
        ("oa", "/v2.0/oa/upload/file", "m.docx", 1, 0),
        ("oa", "/v2.0/oa/upload/file", "m.xlsx", 1, -201),
        ("oa", "/v2.0/oa/upload/film", "m.mp4", 1, -209),
        ("zbs", "/upload/image", "m.jpg", 500 * 1024, 0),
        ("zbs", "/upload/image", "m.jpg", 500 * 1024 + 1, -158),
        ("zbs", "/upload/image", "m.pdf", 1, -159),
    ],
)
def test_upload_is_of_a_kind_that_is_taken(
    caller: Caller, zalo: FakeZalo, host: str, path: str, filename: str, size: int, code: int
) -> None:
    answered = caller.http.post(
        getattr(zalo.addresses, host) + path,
        files={"file": (filename, b"x" * size)},
        headers={"access_token": caller.access},
    )
    names = {"image": "attachment_id", "gif": "attachment_id", "file": "token"}
    name = "media_id" if host == "zbs" else names.get(path.rpartition("/")[2], "")
    assert answered.json()["error"] == code
    assert list(answered.json().get("data", {})) == ([name] if code == 0 else [])
