"""The words by which a table of criteria is understood: headings, kinds of criteria, totals, amounts."""

import re

from rules.criteria import LeafKind, NotApplicable, folded

HEADINGS: dict[str, tuple[str, ...]] = {
    "code": ("stt", "tt", "số tt", "số thứ tự", "mã", "mã tiêu chí", "mục", "code", "no", "id"),
    "title": (
        *("tiêu chí", "nội dung", "tên tiêu chí", "nội dung tiêu chí", "nội dung đánh giá", "chỉ tiêu"),
        *("tiêu chuẩn", "tiêu chí, chỉ tiêu", "title", "criterion", "criteria", "indicator", "content"),
    ),
    "max_points": (
        *("điểm tối đa", "điểm chuẩn", "thang điểm", "số điểm", "số điểm tối đa", "điểm"),
        *("điểm số tối đa", "điểm số", "mức điểm", "mức điểm tối đa"),
        *("max points", "maximum points", "max", "points"),
    ),
    "kind": ("loại", "kiểu", "loại tiêu chí", "kind", "type"),
    "minimum": ("ngưỡng", "mức tối thiểu", "tối thiểu", "mức đạt", "yêu cầu", "minimum", "min", "threshold"),
    "level": ("cấp", "level"),
    "unit": ("đơn vị tính", "đvt", "unit"),
    "evidence": ("tài liệu kiểm chứng", "tài liệu", "minh chứng", "hồ sơ", "evidence"),
    "not_applicable": ("không áp dụng", "không phát sinh", "not applicable"),
}
HEADING_OF = {folded(name): key for key, names in HEADINGS.items() for name in names}
LOOKED_AT = 40  # rows above the table: the names of the annex and of the act

KINDS: dict[LeafKind, tuple[str, ...]] = {
    LeafKind.POINTS: ("điểm", "chấm điểm"),
    LeafKind.CHOICE: ("lựa chọn", "chọn một"),
    LeafKind.YES_NO: ("đạt/chưa đạt", "đạt/không đạt", "có/không", "đạt"),
    LeafKind.MUST_NOT_OCCUR: ("không xảy ra", "không để xảy ra", "không có"),
    LeafKind.RATIO_MIN: ("tỷ lệ", "tỉ lệ", "tỷ lệ tối thiểu", "tỷ lệ %", "%"),
    LeafKind.RATIO_BANDS: ("khoảng tỷ lệ", "tỷ lệ theo khoảng"),
    LeafKind.COUNT_MIN: ("số lượng", "số lượng tối thiểu", "đếm"),
    LeafKind.RATING_MIN: ("xếp loại", "xếp loại tối thiểu"),
    LeafKind.NOT_WORSE_THAN_LAST_YEAR: ("không tăng so với năm trước", "không hơn năm trước"),
    LeafKind.REFER: ("kết quả khác", "theo kết quả khác"),
    LeafKind.COMPOUND: ("đạt tất cả", "gồm các ý"),
    LeafKind.PER_OCCURRENCE: ("mỗi lần", "theo lần"),
    LeafKind.BONUS: ("điểm cộng", "điểm thưởng"),
    LeafKind.PENALTY: ("điểm trừ",),
}
KIND_OF = {folded(name): kind for kind, names in KINDS.items() for name in (kind.value, *names)}

NOT_APPLICABLE_OF = {
    folded(name): value
    for value, names in {
        NotApplicable.FULL_POINTS: ("full_points", "tính điểm tối đa", "điểm tối đa"),
        NotApplicable.PASS: ("pass", "tính đạt", "đạt"),
        NotApplicable.OWN_GROUP: ("own_group", "nhóm riêng", "không tính"),
    }.items()
    for name in names
}

# A row of totals: alone, or followed by what it sums up.
TOTAL = re.compile(
    r"(?:tong(?: cong| so diem| so| diem)?|cong|total|subtotal|sum)"
    r"(?P<rest>\s*[:(.].*|\s+(?:diem|muc|tieu chi|phan|tieu chuan|nhom)\b.*|)",
    re.DOTALL,
)
NAMED = re.compile(r"(?:muc|tieu chi|phan|tieu chuan|nhom)\s+(?P<code>[\w.]+)")
# `10`, `10,5`, `10 điểm`, `tối đa 10đ`, `≥ 80%`, `từ 80% trở lên`
AMOUNT = re.compile(
    r"(?:toi da|it nhat|tu|>=|≥|>)?\s*(?P<number>[-−]?[0-9]+(?:[.,][0-9]+)?)\s*(?P<percent>%)?"
    r"\s*(?:diem|d)?\s*(?:tro len)?"
)
