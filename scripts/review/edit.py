"""Replace one scalar of a YAML text. ruamel.yaml says where it stands; every other character stays."""

import re
from collections.abc import Sequence
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from amlspec.errors import UserError

Keys = Sequence[str | int]
# An anchor or a tag in front of a scalar belongs to its node and stays.
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")


def replace_scalar(text: str, keys: Keys, value: str) -> str:
    """The text with another scalar at `keys`; quotes stay, and come where YAML would read another value.

    Raises UserError where no scalar of its own stands there (an alias, a merged key): nothing else may change.
    """
    node = _scalar(text, keys)
    start, end = node.start_mark.index, node.end_mark.index
    written = text[start:end]
    properties = _PROPERTIES.match(written)
    front = properties.group() if properties else ""
    back = written[len(written.rstrip()) :]
    # A bare 1.10 would be read as the number 1.1.
    bare_is_same = str(yaml.safe_load(value)) == value
    quote = node.style if node.style in ("'", '"') else "" if bare_is_same else '"'
    new = f"{text[:start]}{front}{quote}{value}{quote}{back}{text[end:]}"
    if not _is_the_only_difference(text, new, keys, value):
        raise _no_scalar(keys)
    return new


def _scalar(text: str, keys: Keys) -> ScalarNode:
    try:
        node: Node | None = YAML().compose(text)
    except YAMLError as error:
        raise UserError(f"not valid YAML: {str(error).splitlines()[0]}") from error
    for key in keys:
        if isinstance(node, MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        else:
            node = node.value[key] if isinstance(node, SequenceNode) and isinstance(key, int) else None
    if not isinstance(node, ScalarNode):
        raise _no_scalar(keys)
    return node


def _no_scalar(keys: Keys) -> UserError:
    place = ".".join(str(key) for key in keys)
    return UserError(f"{place} shares its value with another key (anchor, alias or merge): write it there as text")


def _is_the_only_difference(old: str, new: str, keys: Keys, value: str) -> bool:
    try:
        before, after = yaml.safe_load(old), yaml.safe_load(new)
    except yaml.YAMLError:
        return False
    _take(before, keys)
    return str(_take(after, keys)) == value and before == after


def _take(data: Any, keys: Keys) -> Any:
    """Value at a key path, which holds None afterwards."""
    *above, last = keys
    for key in above:
        data = data[_known(data, key)]
    name = _known(data, last)
    value, data[name] = data[name], None
    return value


def _known(data: Any, key: str | int) -> Any:
    """The key as YAML read it: documents are addressed by text, a file may have the number 1 as a key."""
    return key if isinstance(data, list) else next(name for name in data if str(name) == str(key))
