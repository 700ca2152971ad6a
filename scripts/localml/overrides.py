"""`--set a.b=value`, applied to a spec before it is checked."""

from collections.abc import Iterable
from typing import Any

import yaml

from amlspec.document import Document
from amlspec.errors import UserError


def apply(document: Document, settings: Iterable[str]) -> None:
    """Change `document.data` in place."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise UserError(f"--set {setting}: write it as key=value, say inputs.holdout_months=6")
        _assign(document.data, key.split("."), _value(text), setting)


def _value(text: str) -> Any:
    """A whole number, true, false, a list or a mapping where the text is one; else the text itself.

    1e5, 007 or 2024-01-01 stay text: a hash or a version must arrive as it was written.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, bool | list | dict):
        return value
    return value if isinstance(value, int | float) and str(value) == text else text


def _assign(data: dict[str, Any], parts: list[str], value: Any, setting: str) -> None:
    for depth, part in enumerate(parts[:-1], 1):
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            # `inputs.sales.path=x` where `inputs.sales` is a literal: the longer form takes its place.
            if depth == 1:
                raise UserError(f"--set {setting}: {part} is not a mapping in this spec")
            inner = data[part] = {}
        data = inner
    data[parts[-1]] = value
