"""`--set a.b=value`, applied to a spec before it is checked."""

from typing import Any

import yaml

from localml.errors import UserError
from localml.yamlio import Document


def apply(document: Document, settings: list[str]) -> None:
    """Change `document.data` in place. A value is YAML: numbers and booleans keep their type."""
    for setting in settings:
        key, found, text = setting.partition("=")
        if not found or not key:
            raise UserError(f"--set {setting}: write it as key=value, say inputs.holdout_months=6")
        _assign(document.data, key.split("."), _value(setting, text), setting)


def _value(setting: str, text: str) -> Any:
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        raise UserError(f"--set {setting}: the value is not valid YAML: quote it") from None


def _assign(data: dict[str, Any], parts: list[str], value: Any, setting: str) -> None:
    for depth, part in enumerate(parts[:-1], 1):
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            # `inputs.sales.path=x` where `inputs.sales` is a literal: the longer form takes its place.
            if depth == 1:
                raise UserError(f"--set {setting}: {part} is no mapping in this spec")
            inner = data[part] = {}
        data = inner
    data[parts[-1]] = value
