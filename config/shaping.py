"""From a located document to its shape, or to one sentence for each mistake with its line."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.located import FileInvalid, Located, Problem
from config.messages import say

Shaped = TypeVar("Shaped", bound=BaseModel)


def shaped(shape: type[Shaped], document: Located) -> Shaped:
    """Return a document in its shape; raises FileInvalid with one problem for each mistake."""
    if not isinstance(document.data, dict):
        raise FileInvalid([document.problem((), "file.not_a_mapping")])
    try:
        return shape.model_validate(document.data)
    except ValidationError as error:
        raise FileInvalid(_problems(error, document, shape)) from None


# What a value should have been, by the beginning of pydantic's name for the error.
WANTED = {
    "date": "file.want_day",
    "int": "file.want_number",
    "greater": "file.want_number",
    "less": "file.want_number",
    "bool": "file.want_flag",
    "string": "file.want_text",
    "list": "file.want_list",
    "tuple": "file.want_list",
    "decimal": "file.want_number",
    "too": "file.want_list",
    "model": "file.want_mapping",
    "dict": "file.want_mapping",
}


def _problems(error: ValidationError, document: Located, shape: type[BaseModel]) -> Iterator[Problem]:
    seen = set()
    # What is unknown first: a key that is only misspelt is not told a second time as missing.
    for each in sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden"):
        got = _shown(each["input"])
        path = tuple(part for part in each["loc"] if part != "[key]")
        kind, context = each["type"], each.get("ctx") or {}
        if path in seen or (kind == "too_short" and _has_errors_below(error, each["loc"])):
            continue
        seen.add(path)
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if kind == "extra_forbidden":
            near = get_close_matches(key, _known(shape, path[:-1]), n=1)
            seen |= {(*path[:-1], meant) for meant in near}
            hint = say("file.meant", key=near[0]) if near else ""
            yield document.problem(path, "file.unknown_key", key=key, hint=hint)
        elif kind == "missing":
            yield document.problem(path[:-1], "file.missing_key", key=key)
        elif kind == "ours":
            yield document.problem(path, context["code"], key=key, got=got)
        elif kind in ("enum", "literal_error"):
            allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
            yield document.problem(path, "file.not_one_of", key=key, allowed=allowed, got=got)
        else:
            kind = "string" if kind == "too_short" and isinstance(each["input"], str) else kind
            wanted = WANTED.get(kind.partition("_")[0], "file.want_other")
            yield document.problem(path, wanted, key=key, got=got)


def _has_errors_below(error: ValidationError, place: tuple[str | int, ...]) -> bool:
    """Say whether parts of a list are wrong: pydantic leaves them out, and then finds the list too short."""
    return any(
        len(each["loc"]) > len(place) and each["loc"][: len(place)] == place for each in error.errors()
    )


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _known(shape: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that a place in the file may have."""
    known: Any = shape
    for part in path:
        if isinstance(part, int) or not hasattr(known, "model_fields"):
            continue
        known = _inner(known, str(part))
    if not hasattr(known, "model_fields"):
        return []
    return [field.alias or name for name, field in known.model_fields.items()]


def _inner(shape: type[BaseModel], key: str) -> Any:
    """Return the shape of what stands under a key, looking through lists and options."""
    for name, field in shape.model_fields.items():
        if key in (name, field.alias):
            pending = [field.annotation]
            while pending:
                each = pending.pop()
                if isinstance(each, type) and issubclass(each, BaseModel):
                    return each
                pending += list(getattr(each, "__args__", ()))
    return None
