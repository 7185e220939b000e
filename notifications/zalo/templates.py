"""Approved ZBS templates: what they ask for and are filled with, checked before anything is sent."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENABLED = "ENABLE"
DATE = "DATE"
LONGEST, LONGEST_DATE = 200, 20
# The forms Zalo takes for a date or an hour (zalo-contract.md §5).
DATE_FORMS = re.compile(r"(\d{2}:\d{2}(:\d{2})? )?\d{2}/\d{2}/\d{4}|\d{2}/\d{4}|\d{2}:\d{2}")


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a template, and how many characters it holds."""

    name: str
    longest: int = LONGEST
    shortest: int = 0
    is_required: bool = True
    is_date: bool = False

    def takes(self, form: str) -> bool:
        """Say whether it can be filled with this; characters are counted in NFC."""
        if self.is_date and not DATE_FORMS.fullmatch(form):
            return False
        return max(self.shortest, 1) <= len(form) <= self.longest


@dataclass(frozen=True, slots=True)
class Template:
    """A template as Zalo describes it."""

    template_id: str
    status: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A template cannot be filled: `problem` says with what, for whoever looks after the templates."""

    problem: str


def read_template(template_id: str, data: Mapping[str, Any]) -> Template:
    """Return a template from what `/template/info/v2` answers; numbers may be texts."""
    listed = data.get("listParams")
    return Template(
        template_id,
        str(data.get("status") or "unknown"),
        tuple(
            _param(each)
            for each in (listed if isinstance(listed, list) else [])
            if isinstance(each, Mapping) and "name" in each
        ),
    )


def _param(told: Mapping[str, Any]) -> Param:
    is_date = str(told.get("type")).upper() == DATE
    longest = _number(told.get("maxLength"), LONGEST)
    return Param(
        name=str(told["name"]),
        longest=min(longest, LONGEST_DATE) if is_date else longest,
        shortest=_number(told.get("minLength"), 0),
        is_required=_is_true(told.get("require", True)) and not _is_true(told.get("acceptNull", False)),
        is_date=is_date,
    )


def filled(
    template: Template, params: Mapping[str, str], fields: Mapping[str, tuple[str, ...]]
) -> dict[str, str] | Unfit:
    """Return what each parameter is filled with: of its field's forms the first that fits.

    `params` names the field for each parameter. Nothing is cut: a form that is too long is passed
    over, and where none fits a required parameter the template is unfit for this message.
    """
    unknown = sorted(set(params) - {each.name for each in template.params})
    if unknown:
        return Unfit(f"template {template.template_id} has no parameter {', '.join(unknown)}")
    data = {}
    for param in template.params:
        field = params.get(param.name, "")
        forms = [unicodedata.normalize("NFC", form) for form in fields.get(field, ())]
        fitting = next(filter(param.takes, forms), None)
        if fitting is not None:
            data[param.name] = fitting
        elif param.is_required:
            return Unfit(f"parameter {param.name} of template {template.template_id}: {_why(field, forms)}")
    return data


def _why(field: str, forms: list[str]) -> str:
    if not field:
        return "no field is named to fill it with"
    return f"no form of {field} fits" if forms else f"this letter has no field {field}"


def _number(value: object, otherwise: int) -> int:
    try:
        return int(str(value))
    except ValueError:
        return otherwise


def _is_true(value: object) -> bool:
    return value is True or str(value).lower() in ("true", "1")
