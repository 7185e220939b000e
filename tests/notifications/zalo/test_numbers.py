"""Telephone numbers as Zalo wants them."""

import pytest

from notifications.zalo.numbers import zalo_number


@pytest.mark.parametrize(
    "phone",
    [
        "0912000001",
        "0912 000 001",
        "0912.000.001",
        "0912-000-001",
        "(0912) 000 001",
        "+84912000001",
        "+84 (0) 912 000 001",
        "0084912000001",
        "84912000001",
        "912000001",
        " 0912000001 ",
        "\u202a0912000001",
        "０９１２０００００１",
    ],
)
def test_mobile_number_is_written_with_its_country_and_no_plus(phone: str) -> None:
    assert zalo_number(phone) == "84912000001"


@pytest.mark.parametrize(
    "phone",
    [
        pytest.param("", id="nothing"),
        pytest.param("không có", id="words"),
        pytest.param("0213 3876 111", id="landline"),
        pytest.param("024 3825 0001", id="landline-of-the-capital"),
        pytest.param("01234567890", id="eleven-digits-of-old"),
        pytest.param("0912 000 00", id="too-short"),
        pytest.param("0912 000 0012", id="too-long"),
        pytest.param("0412000001", id="no-such-prefix"),
        pytest.param("1900 1234", id="service"),
        pytest.param("113", id="emergency"),
        pytest.param("+1 202 555 0123", id="abroad"),
        pytest.param("0912000001, 0912000002", id="two"),
        pytest.param("0" * 300, id="endless"),
    ],
)
def test_what_is_no_vietnamese_mobile_number_is_none(phone: str) -> None:
    assert zalo_number(phone) is None
