"""Telephone numbers in the form Zalo wants: `84987654321`."""

import phonenumbers
from phonenumbers import PhoneNumberType

VIETNAM = 84


def zalo_number(phone: str) -> str | None:
    """Return a Vietnamese mobile number with its country's code and no plus; None where it is none."""
    try:
        number = phonenumbers.parse(phone, "VN")
    except phonenumbers.NumberParseException:
        return None
    if number.country_code != VIETNAM or not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.number_type(number) != PhoneNumberType.MOBILE:
        return None
    return f"{VIETNAM}{number.national_number}"
