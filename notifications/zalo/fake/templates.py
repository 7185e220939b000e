"""What the fake checks of a template's data, and how it describes a template."""

import re
from typing import Any

from notifications.zalo.fake.state import FakeTemplate

# hh:mm:ss dd/mm/yyyy, hh:mm dd/mm/yyyy, dd/mm/yyyy, mm/yyyy, hh:mm
DATES = re.compile(r"(?:\d\d:\d\d(?::\d\d)? )?\d\d/\d\d/\d{4}|\d\d/\d{4}|\d\d:\d\d")


def problem_of(template: FakeTemplate, data: Any) -> tuple[int, str] | None:
    """Return the code and words of the first thing that is wrong with a template's data, or None."""
    if not isinstance(data, dict) or (template.params and not data):
        return (-111, "Template data is empty")
    known = {param.name: param for param in template.params}
    for name, value in data.items():
        param = known.get(name)
        if param is None:
            return (-112, f"Parameter {name} is not in the template")
        if not isinstance(value, str) or len(value) < param.min_length:
            return (-112, f"Parameter {name} is invalid")
        if len(value) > param.max_length:
            return (-1121, f"Parameter {name} is over its length")
        if param.type == "DATE" and not DATES.fullmatch(value):
            return (-1124, f"Parameter {name} is in a wrong format")
    missing = [param.name for param in template.params if param.required and param.name not in data]
    return (-1122, f"Parameter {missing[0]} is missing") if missing else None


def described(template: FakeTemplate) -> dict[str, Any]:
    """Return a template as `/template/info/v2` tells it."""
    return {
        "templateId": template.template_id,
        "templateName": template.name,
        "status": template.status,
        "listParams": [
            {
                "name": param.name,
                "require": param.required,
                "type": param.type,
                "maxLength": param.max_length,
                "minLength": param.min_length,
                "acceptNull": not param.required,
            }
            for param in template.params
        ],
        "listButtons": [],
        "timeout": 7_200_000,
        "templateQuality": "LOW" if template.low_quality else "HIGH",
        "templateTag": template.tag,
        "price": "300",
        "price_sdt": "300",
        "price_uid": "200",
    }
