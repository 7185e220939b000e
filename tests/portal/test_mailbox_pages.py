"""The letters of the embedded mailbox are listed and read as they were sent, and nothing in one can run."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from config.settings import settings
from flows.delivery import deliver_letters
from flows.servers import mail_server
from notifications.kept import KeptLetters
from notifications.mailbox import Mailbox
from tests.serving import Answer, Site, serving
from tests.walking import at, begin, rows

HOSTILE = """<html><body onload="parent.document.title='x'"><script>top.location='//evil.example'</script>
"></iframe><img src=x onerror=alert(1)><meta http-equiv="refresh" content="0;url=//evil.example">
<form action="//evil.example"><input name=p></form><p style="color: red">Kính gửi</p></body></html>"""


class Page(HTMLParser):
    """What a browser finds in a page: its elements with their attributes, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]

    def links(self, start: str) -> list[str]:
        return [str(each["href"]) for each in self.all("a") if str(each["href"]).startswith(start)]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def folder() -> Path:
    """The mailbox of this installation, as yet without a letter."""
    folder = settings().home / "mailbox"
    folder.mkdir(parents=True)
    return folder


def put(folder: Path, name: str, **more: str) -> EmailMessage:
    """Put a letter into the mailbox and return it, to be changed and put anew."""
    message = EmailMessage()
    message["To"] = more.get("to", "Ông MẪU <a@mau.example>")
    message["Subject"] = more.get("subject", "Nhắc nộp hồ sơ")
    message["Date"] = more.get("date", format_datetime(datetime(2021, 11, 16, 0, 30, tzinfo=UTC)))
    message.set_content(more.get("text", "Kính gửi Ủy ban nhân dân.\n"))
    message.add_alternative(more.get("html", "<p>Kính gửi.</p>"), subtype="html")
    (folder / name).write_bytes(bytes(message))
    return message


def policy(answer: Answer) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";")]
    return {name: value for name, _, value in parts}


def subjects(answer: Answer) -> list[str]:
    assert answer.status == 200
    return re.findall(r'<td><a href="/thu/[^"]+">([^<]*)</a></td>', answer.text)


def test_a_letter_that_was_really_delivered_is_listed_and_read(database, tmp_path, site):
    with Mailbox(tmp_path / "elsewhere") as elsewhere:
        walk = begin(tmp_path / "files", elsewhere)
    walk.tick("2021-11-16 07:30")
    with mail_server() as server:
        assert deliver_letters(at("2021-11-16 07:30"), server).sent == 2
    sent = rows("SELECT subject, text, html, message_id, address FROM letters ORDER BY id")
    reminders = [letter for letter in sent if letter[4] in ("a@mau.example", "b@mau.example")][-2:]

    listed = site.get("/thu")
    assert sorted(subjects(listed)) == sorted(subject for subject, *_ in reminders)
    assert listed.text.count("16/11/2021 07:30") == 2
    assert sorted(re.findall(r"MẪU \w &lt;(.@mau\.example)&gt;", listed.text)) == [
        "a@mau.example",
        "b@mau.example",
    ]
    for path in Page(listed.text).links("/thu/"):
        opened = Page(site.get(path).text)
        [letter] = [each for each in reminders if each[3] in opened.text]
        subject, text, html, _, address = letter
        assert subject in opened.text
        assert address in opened.text
        assert text.strip() in opened.text
        [frame] = opened.all("iframe")
        assert frame["srcdoc"] == html
        assert "Kính gửi" in html
        calendar, raw = site.get(f"{path}/1"), site.get(f"{path}/eml")
        assert calendar.headers["content-disposition"] == "attachment; filename*=UTF-8''thoi-han.ics"
        assert calendar.body.startswith(b"BEGIN:VCALENDAR")
        assert raw.body == (settings().home / "mailbox" / unquote(path.rpartition("/")[2])).read_bytes()
        assert raw.headers["content-disposition"].endswith(".eml")


def test_vietnamese_text_is_shown_as_it_was_written(folder, site):
    said = "Ủy ban nhân dân xã San Thàng — Đề nghị khẩn trương nộp hồ sơ; “quá hạn” & <chưa rõ>"
    put(folder, "20211116-0730-a-1.eml", subject=said, text=f"{said}\n", html=f"<p>{quote(said)}</p>")
    assert said in Page(site.get("/thu").text).text
    answer = site.get("/thu/20211116-0730-a-1.eml")
    page = Page(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.count(said) == 4  # title, heading, header and text
    assert page.all("html") == [{"lang": "vi"}]


def test_hostile_html_stands_in_a_frame_where_nothing_runs(folder, site):
    put(
        folder,
        "x.eml",
        html=HOSTILE,
        subject="<script>alert(1)</script>",
        text="</div><script>alert(2)</script>",
    )
    for path in ("/thu", "/thu/x.eml"):
        answer = site.get(path)
        page = Page(answer.text)
        for tag in ("script", "img", "object", "embed"):
            assert page.all(tag) == []
        assert [each for _, found in page.elements for each in found if each.startswith("on")] == []
        assert [each for each in page.all("meta") if "http-equiv" in each] == []
        assert "script-src" not in policy(answer)
        assert policy(answer)["default-src"] == "'none'"
    [frame] = page.all("iframe")
    assert frame["sandbox"] == ""
    assert str(frame["srcdoc"]).strip() == HOSTILE.strip()  # there, and shut in
    assert "src" not in frame


def test_every_answer_forbids_what_it_does_not_need(folder, site, monkeypatch):
    message = put(folder, "x.eml")
    message.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="x.html")
    (folder / "x.eml").write_bytes(bytes(message))
    paths = {"/": 303, "/thu": 200, "/thu/x.eml": 200, "/thu/y.eml": 404, "/static/portal.css": 200}
    paths |= {"/thu/x.eml/1": 200, "/thu/x.eml/eml": 200, "/thu/x.eml/2": 404}
    for path, status in paths.items():
        answer = site.get(path)
        assert answer.status == status, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert policy(answer)["default-src"] == "'none'"
        assert not re.search(r"https?://|'unsafe-(?!inline)", answer.headers["content-security-policy"])
    assert policy(site.get("/thu")) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    # A letter may say in attributes how it looks, and has no stylesheet of its own.
    assert policy(site.get("/thu/x.eml")) == policy(site.get("/thu")) | {"style-src-attr": "'unsafe-inline'"}
    file = site.get("/thu/x.eml/1")
    assert file.body == b"<script>alert(1)</script>"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''x.html"
    assert policy(file)["sandbox"] == ""


def test_pages_load_nothing_but_their_stylesheet(folder, site):
    put(folder, "x.eml")
    for path in ("/thu", "/thu/x.eml", "/thu/none.eml"):
        page = Page(site.get(path).text)
        assert [each["href"] for each in page.all("link")] == ["/static/portal.css"]
        assert [each for _, found in page.elements for each in found if each in ("src", "style")] == []
    css = site.get("/static/portal.css")
    assert css.headers["content-type"].startswith("text/css")
    assert "url(" not in css.text
    assert "@import" not in css.text


@pytest.mark.parametrize(
    "path",
    [
        "/thu/../secret.eml",
        "/thu/..%2Fsecret.eml",
        "/thu/%2e%2e%2fsecret.eml",
        "/thu/..%5Csecret.eml",
        "/thu/%2Fetc%2Fpasswd",
        "/thu//etc/passwd",
        "/thu/../secret.eml/eml",
        "/thu/..%2Fsecret.eml/eml",
        "/thu/..%2Fsecret.eml/1",
        "/thu/..",
        "/thu/.",
        "/thu/link.eml",
        "/thu/folder.eml",
        "/thu/.hidden.part",
        "/thu/secret.txt",
        "/thu/x.eml%00",
        "/thu/X.EML",
        "/thu/",
        "/thu/x.eml/0",
        "/thu/x.eml/-1",
        "/thu/x.eml/1",
        "/thu/x.eml/%C2%B2",
        "/thu/x.eml/99999999999999999999",
        "/thu/x.eml/1/2",
        "/static/../app.py",
        "/static/..%2Fapp.py",
    ],
)
def test_what_is_not_in_the_list_is_not_found(folder, site, path):
    put(folder, "x.eml")
    for name in ("../secret.eml", "secret.txt", ".hidden.part"):
        (folder / name).write_text("geheim")
    (folder / "link.eml").symlink_to(folder / "../secret.eml")
    (folder / "folder.eml").mkdir()
    assert site.get("/thu/x.eml").status == 200
    answer = site.get(path)
    assert answer.status == 404
    assert b"geheim" not in answer.body
    if path.startswith("/thu/"):
        assert "Không tìm thấy" in answer.text


def test_with_a_mail_server_there_is_no_mailbox(folder, site, monkeypatch):
    put(folder, "x.eml")
    assert (site.get("/").status, site.get("/").headers["location"]) == (303, "/thu")
    monkeypatch.setenv("CONGNHAN_SMTP_HOST", "mail.mau.example")
    settings.cache_clear()
    paths = ("/thu", "/thu?q=x", "/thu/x.eml", "/thu/x.eml/eml", "/thu/x.eml/1")
    assert [site.get(path).status for path in paths] == [404] * 5
    running = site.get("/")
    assert running.status == 200
    assert "Ứng dụng đang chạy" in Page(running.text).text


def test_a_mailbox_that_no_letter_has_reached_is_an_empty_list(site):
    answer = site.get("/thu")
    assert subjects(answer) == []
    assert "Có 0 thư." in answer.text


def test_the_newest_letter_is_the_first(folder, site):
    for number, name in enumerate(
        ("20211116-0730-b-1.eml", "20211116-0730-a-2.eml", "20211117-0730-a-3.eml", "undated-a-4.eml")
    ):
        put(folder, name, subject=name)
        os.utime(folder / name, (1000 + number, 1000 + number))
    assert subjects(site.get("/thu")) == [
        "20211117-0730-a-3.eml",
        "20211116-0730-a-2.eml",  # of the same minute, kept later
        "20211116-0730-b-1.eml",
        "undated-a-4.eml",
    ]


@pytest.fixture
def many(folder) -> Path:
    """120 letters, a minute apart; every tenth is to somebody else."""
    for number in range(120):
        moment = datetime(2021, 11, 16, tzinfo=UTC) + timedelta(minutes=number)
        to = "Bà MẪU <b@mau.example>" if number % 10 == 0 else "Ông MẪU <a@mau.example>"
        name = f"20211116-{7 + number // 60:02}{number % 60:02}-x-{number}.eml"
        put(folder, name, subject=f"Thư số {number}", to=to, date=format_datetime(moment))
    return folder


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        pytest.param("", 119, 50, id="first-page"),
        pytest.param("?trang=2", 69, 50, id="second-page"),
        pytest.param("?trang=3", 19, 20, id="last-page"),
        pytest.param("?trang=4", 19, 20, id="beyond-the-last"),
        pytest.param("?trang=0", 119, 50, id="before-the-first"),
        pytest.param("?trang=x", 119, 50, id="no-number"),
        pytest.param("?trang=%C2%B2", 119, 50, id="no-digit"),
        pytest.param("?trang=99999999999999999999", 119, 50, id="too-long-a-number"),
        pytest.param("?q=b%40mau", 110, 12, id="searched"),
        pytest.param("?q=ma%CC%82%CC%83u&trang=3", 19, 20, id="searched-in-other-unicode"),
    ],
)
def test_fifty_letters_stand_on_a_page(many, site, query, first, count):
    found = subjects(site.get(f"/thu{query}"))
    assert (found[0], len(found)) == (f"Thư số {first}", count)


def test_links_lead_from_page_to_page_and_keep_the_search(many, site):
    seen: list[str] = []
    path = "/thu?q=th%C6%B0+%C3%B4ng"
    while path:
        page = Page((answer := site.get(path)).text)
        seen += subjects(answer)
        path = next((str(each["href"]) for each in page.all("a") if each.get("rel") == "next"), "")
    assert len(seen) == len(set(seen)) == 108
    assert next(str(each["href"]) for each in page.all("a") if each.get("rel") == "prev").endswith("trang=2")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("Đông Phong", ["a"], id="as-it-is-written"),
        pytest.param("ĐÔNG", ["a"], id="in-capitals"),
        pytest.param("dong phong", ["a"], id="without-accents"),
        pytest.param("nhac", ["a", "b"], id="plain-finds-both"),
        pytest.param("nhắc", ["a"], id="accents-are-meant"),
        pytest.param("phong ho", ["a"], id="every-word"),
        pytest.param("b@mau.example", ["b"], id="recipient"),
        pytest.param("%", [], id="no-wildcard"),
        pytest.param('"><script>', [], id="no-html"),
    ],
)
def test_letters_are_searched_by_recipient_and_subject(folder, site, wanted, found):
    put(folder, "a.eml", subject="Nhắc nộp hồ sơ phường Đông Phong", to="a@mau.example")
    put(folder, "b.eml", subject="Nhạc hội", to="b@mau.example")
    answer = site.get(f"/thu?q={quote(wanted)}")
    page = Page(answer.text)
    assert sorted(link[5:6] for link in page.links("/thu/")) == found
    assert [each["value"] for each in page.all("input")] == [wanted]
    assert page.all("script") == []


BROKEN = {
    "empty": b"",
    "no-headers": b"\r\n\r\nKh\xc3\xb4ng c\xc3\xb3 g\xc3\xac",
    "raw-bytes-in-headers": "Subject: Nhắc \udcff\r\nTo: Ông <x\r\nDate: hôm qua\r\n\r\nx".encode(
        "utf-8", "surrogateescape"
    ),
    "unknown-charset": b"Content-Type: text/plain; charset=klingon\r\n\r\nK\xc3\xadnh",
    "no-alphabet": b"Content-Type: text/plain; charset=hex\r\n\r\nzz",
    "broken-base64": b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%a",
    "without-boundary": b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nx",
    "nested-deep": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000)
    ),
    "odd-addresses": b"To: @,,<>;:(((\r\nFrom: =?utf-8?q?=0D=0A?= <\r\nMessage-ID: <<[\r\n\r\nx",
    "far-date": b"Date: Mon, 01 Jan 0001 00:00:00 +1400\r\n\r\nx",
    "name-with-folder": b"Content-Type: text/plain\r\n"
    b'Content-Disposition: attachment; filename="../..\\\\a\r\n\tb.exe"\r\n\r\nx',
    "letter-within": b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_letter_that_is_broken_is_shown_as_far_as_it_goes(folder, site, name):
    (folder / "x.eml").write_bytes(BROKEN[name])
    listed, opened = site.get("/thu"), site.get("/thu/x.eml")
    assert (listed.status, opened.status) == (200, 200)
    assert len(Page(listed.text).links("/thu/")) == 1
    assert site.get("/thu/x.eml/eml").body == BROKEN[name]
    for path in Page(opened.text).links("/thu/x.eml/"):
        answer = site.get(path)
        assert answer.status == 200
        assert not re.search(r"filename.*(\.\.|%2F|%5C|%0[AD])", answer.headers["content-disposition"])


def test_texts_in_older_alphabets_are_read(folder):
    (folder / "x.eml").write_bytes(
        b"Content-Type: text/plain; charset=windows-1258\r\n\r\n" + "Điều".encode("cp1258", "ignore")
    )
    opened = KeptLetters(folder).open("x.eml")
    assert opened is not None
    assert opened.text == "Điu"  # that alphabet has no single sign for the second letter


def test_a_page_can_be_used_with_the_keyboard_and_read_aloud(many, site):
    page = Page(site.get("/thu?q=th%C6%B0").text)
    focusable = [tag for tag, found in page.elements if tag in ("a", "input", "button")]
    assert focusable[:4] == ["a", "input", "button", "a"]
    assert page.links("#") == ["#main"]
    assert [each["for"] for each in page.all("label")] == [each["id"] for each in page.all("input")]
    assert [each for _, found in page.elements for each in found if each == "tabindex"] == ["tabindex"]
    assert {each["scope"] for each in page.all("th")} == {"col"}
    assert any("width=device-width" in str(each.get("content")) for each in page.all("meta"))
    [frame] = Page(site.get(page.links("/thu/")[0]).text).all("iframe")
    assert frame["title"] == "Nội dung thư dạng HTML"
    assert frame["tabindex"] == "0"  # a long letter is scrolled with the arrow keys


def test_a_new_letter_is_there_at_the_next_look(folder, site):
    put(folder, "20211116-0730-a-1.eml", subject="một")
    assert subjects(site.get("/thu")) == ["một"]
    put(folder, "20211116-0731-a-2.eml", subject="hai")
    assert subjects(site.get("/thu")) == ["hai", "một"]
    (folder / "20211116-0730-a-1.eml").unlink()
    assert subjects(site.get("/thu")) == ["hai"]
    assert site.get("/thu/20211116-0730-a-1.eml").status == 404


def test_words_for_people_stand_in_templates():
    accented = re.compile(r"[à-ỹđÀ-ỸĐ]")
    root = Path(__file__).parents[2]
    for path in [*(root / "portal").glob("*.py"), root / "notifications/kept.py"]:
        found = [line for line in path.read_text(encoding="utf-8").splitlines() if accented.search(line)]
        assert [line for line in found if 'replace("đ"' not in line] == []
