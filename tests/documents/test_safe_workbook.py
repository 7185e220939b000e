"""Workbooks that others send are looked into before they are opened."""

import os
import struct
import time
import zlib
from io import BytesIO
from random import Random
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from openpyxl import Workbook, load_workbook

from config.messages import catalogue
from documents import workbook_refusals
from documents.safe_workbook import MOST_BYTES, MOST_PARTS, check_workbook, filled_rows, open_workbook
from documents.workbook_refusals import (
    BinaryWorkbook,
    BrokenWorkbook,
    EmbeddedContent,
    EncryptedWorkbook,
    EntitiesInside,
    ExternalContent,
    FileNotRead,
    MacroWorkbook,
    NotAFile,
    NotAWorkbook,
    OldWorkbook,
    PackedTooTight,
    StrictWorkbook,
    TooManyCells,
    TooManyParts,
    TooMuchInside,
    WorkbookRefused,
    WorkbookTooBig,
)

TYPES = "[Content_Types].xml"
SHEET = "xl/worksheets/sheet1.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAIN = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
RELATION = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" '
    b'Target="%s" TargetMode="External"/></Relationships>'
)


def plain():
    book = Workbook()
    book.active.append(["Tổ 1 MẪU", 9.57])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def packed(parts=None, *, method=ZIP_DEFLATED, changed=None):
    """Return a plain workbook with more parts, and with some of its own rewritten."""
    file = BytesIO()
    with ZipFile(BytesIO(plain())) as old, ZipFile(file, "w", method) as new:
        for name in old.namelist():
            content = old.read(name)
            before, after = (changed or {}).get(name, (b"", b""))
            assert before in content
            new.writestr(name, content.replace(before, after, 1) if before else content)
        for name, content in (parts or {}).items():
            new.writestr(name, content)
    return file.getvalue()


def in_sheet(xml):
    return packed(changed={SHEET: (b"</sheetData>", b"</sheetData>" + xml)})


def of_cells(xml):
    return packed(changed={SHEET: (b"<sheetData>", b"<sheetData>" + xml)})


def with_type(content_type, part="/xl/more.xml"):
    override = b'<Override PartName="%s" ContentType="%s"/></Types>' % (part.encode(), content_type)
    return packed(changed={TYPES: (b"</Types>", override)})


def with_main(content_type):
    return packed(changed={TYPES: (MAIN, content_type)})


def rows(count):
    return b"".join(b'<row r="%d"/>' % number for number in range(2, count + 2))


def cells(count):
    return b"".join(b'<c r="A9" s="0"><v>%d</v></c>' % number for number in range(count))


def lying(content):
    """Return a workbook one of whose parts says that it is small and is not."""
    whole = packed({"xl/media/image1.png": b"\0" * 1000})
    local = whole.rindex(b"PK\x03\x04")
    central = whole.rindex(b"PK\x01\x02")
    name = b"xl/media/image1.png"
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = squeeze.compress(content) + squeeze.flush()
    crc = zlib.crc32(content)
    head = whole[local : local + 14] + struct.pack("<III", crc, len(data), 1000)
    entry = whole[central : central + 16] + struct.pack("<III", crc, len(data), 1000)
    body = head + whole[local + 26 : local + 30] + name + data
    directory_at = whole.index(b"PK\x01\x02")
    moved = local + len(body)
    directory = whole[directory_at:central] + entry + whole[central + 28 :]
    end = directory.rindex(b"PK\x05\x06")
    return whole[:local] + body + directory[: end + 16] + struct.pack("<I", moved) + directory[end + 20 :]


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&b;</sst>'
)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        pytest.param(b"", NotAWorkbook, id="empty"),
        pytest.param(b"ma;ten\n1;2\n", NotAWorkbook, id="csv"),
        pytest.param(b"PK\x03\x04 and no more", BrokenWorkbook, id="cut-off"),
        pytest.param(plain()[:-40], BrokenWorkbook, id="without-its-end"),
        pytest.param(OLE + b"\0" * 600, OldWorkbook, id="xls"),
        pytest.param(OLE + "EncryptedPackage".encode("utf-16-le"), EncryptedWorkbook, id="with-a-password"),
        pytest.param(b"x" * (MOST_BYTES + 1), WorkbookTooBig, id="too-big"),
        pytest.param(packed({"xl/vbaProject.bin": b"x"}), MacroWorkbook, id="macros"),
        pytest.param(packed({"XL/VBAPROJECT.BIN": b"x"}), MacroWorkbook, id="macros-in-capitals"),
        pytest.param(packed({"xl/macrosheets/sheet1.xml": b"<a/>"}), MacroWorkbook, id="macros-of-excel-4"),
        pytest.param(packed({"customUI/customUI.xml": b"<a/>"}), MacroWorkbook, id="ribbon"),
        pytest.param(
            with_main(b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"), MacroWorkbook, id="xlsm"
        ),
        pytest.param(with_type(b"application/vnd.ms-office.vbaProject"), MacroWorkbook, id="macros-renamed"),
        pytest.param(
            with_main(b"application/vnd.ms-excel.sheet.binary.macroEnabled.main"), BinaryWorkbook, id="xlsb"
        ),
        pytest.param(
            with_main(b"application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml"),
            NotAWorkbook,
            id="template",
        ),
        pytest.param(
            with_main(b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
            NotAWorkbook,
            id="docx",
        ),
        pytest.param(with_type(MAIN), NotAWorkbook, id="two-workbooks-in-one"),
        pytest.param(packed({"xl/externalLinks/externalLink1.xml": b"<a/>"}), ExternalContent, id="links"),
        pytest.param(packed({"xl/connections.xml": b"<a/>"}), ExternalContent, id="connections"),
        pytest.param(
            packed(
                {"xl/worksheets/_rels/sheet1.xml.rels": RELATION % (b"image", b"http://mau.example/a.png")}
            ),
            ExternalContent,
            id="picture-from-outside",
        ),
        pytest.param(
            packed({"xl/x.xml": b'<ddeLink xmlns="a" ddeService="cmd" ddeTopic="x"/>'}),
            ExternalContent,
            id="dde-link",
        ),
        pytest.param(
            of_cells(b"""<row r="9"><c r="A9"><f>cmd|' /C calc'!A0</f><v>0</v></c></row>"""),
            ExternalContent,
            id="dde-formula",
        ),
        pytest.param(packed({"xl/embeddings/oleObject1.bin": b"x"}), EmbeddedContent, id="embedded"),
        pytest.param(packed({"xl/activeX/activeX1.xml": b"<a/>"}), EmbeddedContent, id="control"),
        pytest.param(packed({"xl/other.bin": b"x"}), EmbeddedContent, id="something-binary"),
        pytest.param(
            in_sheet(b"<oleObjects><oleObject/></oleObjects>"), EmbeddedContent, id="object-in-sheet"
        ),
        pytest.param(packed({SHEET.upper(): b"<a/>"}), BrokenWorkbook, id="part-twice"),
        pytest.param(packed({"xl/laughs.xml": LAUGHS}), EntitiesInside, id="entities"),
        pytest.param(
            packed({"xl/laughs.xml": LAUGHS.decode().encode("utf-16")}),
            EntitiesInside,
            id="entities-in-utf-16",
        ),
        pytest.param(packed({"xl/other.xml": b"<!DOCTYPE a><a/>"}), EntitiesInside, id="doctype"),
        pytest.param(packed({"xl/other.xml": b"<a><b></a>"}), BrokenWorkbook, id="no-xml"),
        pytest.param(packed({"xl/other.xml": b"<a>" * 101 + b"</a>" * 101}), BrokenWorkbook, id="too-deep"),
        pytest.param(packed({"../outside.xml": b"<a/>"}), BrokenWorkbook, id="outside"),
        pytest.param(packed(method=ZIP_LZMA), BrokenWorkbook, id="another-packing"),
        pytest.param(
            packed({f"xl/part{n}.xml": b"<a/>" for n in range(MOST_PARTS)}), TooManyParts, id="many-parts"
        ),
        pytest.param(
            packed({"xl/media/image1.png": b"\0" * 2_000_000}), PackedTooTight, id="packed-too-tight"
        ),
        pytest.param(lying(b"\0" * 2_000_000), BrokenWorkbook, id="header-that-lies"),
        pytest.param(of_cells(rows(200_001)), TooManyCells, id="too-many-rows"),
        pytest.param(
            of_cells(b'<row r="9">' + cells(600_001) + b"</row>"), TooManyCells, id="too-many-cells"
        ),
        pytest.param(
            in_sheet(b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
            TooManyCells,
            id="all-merged",
        ),
        pytest.param(
            in_sheet(b'<hyperlinks><hyperlink ref="A1:XFD1048576" location="A1"/></hyperlinks>'),
            TooManyCells,
            id="all-a-link",
        ),
        pytest.param(
            packed(
                changed={
                    "xl/workbook.xml": (
                        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
                    )
                }
            ),
            StrictWorkbook,
            id="strict",
        ),
    ],
)
def test_is_refused_before_it_is_opened(content, refusal):
    with pytest.raises(WorkbookRefused) as refused:
        check_workbook(content)
    assert type(refused.value) is refusal


def test_a_header_that_says_the_truth_is_believed():
    check_workbook(lying(b"\0" * 1000))


def test_what_inflates_beyond_all_measure_is_refused_by_its_real_bytes():
    # Some noise in each part keeps it below the ratio of a bomb: only the sum gives it away.
    noise = Random(1)
    some = b"".join(noise.randbytes(2_000) + b"\0" * 100_000 for _ in range(100))
    content = packed({f"xl/media/image{number}.png": some for number in range(21)})
    assert len(content) < MOST_BYTES
    with pytest.raises(TooMuchInside):
        check_workbook(content)


def test_every_refusal_has_its_sentence():
    named = {
        each.__name__
        for each in vars(workbook_refusals).values()
        if isinstance(each, type) and issubclass(each, WorkbookRefused) and each is not WorkbookRefused
    }
    prefix = "workbook.refused."
    assert named == {code.removeprefix(prefix) for code in catalogue() if code.startswith(prefix)}


def test_a_refusal_says_what_to_do():
    with pytest.raises(MacroWorkbook) as refused:
        check_workbook(packed({"xl/vbaProject.bin": b"x"}))
    assert (
        str(refused.value)
        == "tệp có macro nên không mở; lưu lại dạng Excel Workbook (*.xlsx), không có macro"
    )


@pytest.mark.parametrize(
    ("name", "refusal"),
    [pytest.param("none.xlsx", FileNotRead, id="no-file"), pytest.param(".", NotAFile, id="folder")],
)
def test_a_path_that_is_no_file_is_refused(name, refusal, tmp_path):
    with pytest.raises(refusal):
        open_workbook(tmp_path / name)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "so.xlsx")
    with pytest.raises(NotAFile):
        open_workbook(tmp_path / "so.xlsx")


def test_a_plain_workbook_is_opened(tmp_path):
    path = tmp_path / "so.xlsx"
    path.write_bytes(plain())
    assert [cell.value for cell in open_workbook(path).active[1]] == ["Tổ 1 MẪU", 9.57]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"xl/printerSettings/printerSettings1.bin": b"\0\1"}, id="settings-of-a-printer"),
        pytest.param({"xl/media/image1.png": b"\x89PNG"}, id="picture"),
        pytest.param({"xl/drawings/vmlDrawing1.vml": b"<xml><br></xml>"}, id="note"),
        pytest.param({"customXml/item1.xml": b"<a/>"}, id="label"),
        pytest.param(
            {
                "xl/worksheets/_rels/sheet1.xml.rels": RELATION
                % (b"hyperlink", b"https://mau.example/tai-lieu")
            },
            id="link-in-a-cell",
        ),
    ],
)
def test_what_excel_adds_by_itself_is_taken(parts, tmp_path):
    path = tmp_path / "so.xlsx"
    path.write_bytes(packed(parts))
    assert open_workbook(path).active["B1"].value == 9.57


def test_a_bar_between_quotes_is_no_call_of_a_program(tmp_path):
    path = tmp_path / "so.xlsx"
    path.write_bytes(of_cells(b'<row r="9"><c r="A9"><f>"a|b"&amp;B1</f><v>0</v></c></row>'))
    assert open_workbook(path).active["A9"].value == '="a|b"&B1'


def test_a_sheet_that_claims_to_be_huge_takes_no_time(tmp_path):
    path = tmp_path / "so.xlsx"
    book = load_workbook(BytesIO(plain()))
    book.active["XFD1048576"] = "x"
    book.active.column_dimensions.group("A", "XFD", hidden=False)
    book.save(path)
    started = time.monotonic()
    rows = filled_rows(open_workbook(path).active)
    assert {row: {column: cell.value for column, cell in cells.items()} for row, cells in rows.items()} == {
        1: {1: "Tổ 1 MẪU", 2: 9.57},
        1_048_576: {16_384: "x"},
    }
    assert time.monotonic() - started < 2
