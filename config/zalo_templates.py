"""The office's approved ZBS templates: which one says what, and which field fills each of its parameters.

The text of a template is fixed by Zalo's approval; only its parameters vary. A file names, for each
kind of notice that has a template, its id and its parameters with the fields of
`notifications/templates/_fields.txt` that fill them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.located import read_located
from config.shapes import Shape, Text
from config.shaping import shaped
from rules.notices import NoticeKind


class TemplateShape(Shape):
    """One approved template."""

    id: Text
    params: Annotated[dict[str, Text], Field(min_length=1)]


class TemplatesShape(Shape):
    """A file of templates, by kind of notice."""

    templates: dict[NoticeKind, TemplateShape]


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """A template's id, and the field that fills each of its parameters."""

    template_id: str
    params: dict[str, str]


def read_zalo_templates(path: Path) -> dict[NoticeKind, TemplateSpec]:
    """Return the templates of a file by kind of notice; raises FileInvalid with each mistake."""
    shape = shaped(TemplatesShape, read_located(str(path), path.read_text(encoding="utf-8")))
    return {kind: TemplateSpec(each.id, dict(each.params)) for kind, each in shape.templates.items()}
