"""Where our Snowflake SQL stands: SQL files, queries of import specs, and strings of the modules that run it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

_VERB = re.compile(
    r"\s*(?:select|with|insert|update|delete|merge|copy|put|get|list|remove|create|drop|alter|truncate|use|set|from)\s",
    re.IGNORECASE,
)
_SPEAKS = ("sales.snowflake", "snowflake.connector")
_UNKNOWN = "x"  # stands for a value that is not in the text; a name is right nearly everywhere


def sql_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line before the first, and text, of each piece of SQL in `path`; nothing for a file that has none."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield 0, text
    elif path.suffix in {".yml", ".yaml"}:
        yield from _of_spec(text)
    elif path.suffix == ".py":
        tree = ast.parse(text, str(path))
        if speaks_to_snowflake(tree):
            yield from _of_module(tree)


def speaks_to_snowflake(tree: ast.Module) -> bool:
    """Whether a module imports the connector, or ours around it; other modules' SQL is DuckDB's."""
    for node in ast.walk(tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(name in _SPEAKS for name in names):
            return True
    return False


def _of_spec(text: str) -> Iterator[tuple[int, str]]:
    """source.query of an import spec, line by line as it stands in the file."""
    node = yaml.compose(text)
    for name in ("source", "query"):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in pairs if key.value == name), None)
    if isinstance(node, yaml.ScalarNode):
        block = node.style in {">", "|"}
        yield node.start_mark.line + block, _unfolded(text, node) if block else str(node.value)


def _unfolded(text: str, node: yaml.ScalarNode) -> str:
    """The block's lines as they stand in the file."""
    return "\n".join(text.splitlines()[node.start_mark.line + 1 : node.end_mark.line])


def _of_module(tree: ast.Module) -> Iterator[tuple[int, str]]:
    known = _constants(tree)
    inner: set[int] = set()  # parts of a longer text, and docstrings; ast.walk gives the outer node first
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in ast.walk(node) if part is not node}
        if isinstance(node, ast.Expr):
            inner.add(id(node.value))
        if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in inner:
            text = _text(node, known)
            if text and _VERB.match(text):
                yield node.lineno - 1, text


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names that are given one text in the whole module; with two, neither is certain."""
    values: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = node.value.value if isinstance(node.value, ast.Constant) else None
            values.setdefault(node.targets[0].id, set()).add(text if isinstance(text, str) else _UNKNOWN)
    return {name: texts.pop() for name, texts in values.items() if len(texts) == 1}


def _text(node: ast.AST, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, known) or "" for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return known.get(node.value.id, _UNKNOWN) if isinstance(node.value, ast.Name) else _UNKNOWN
    return None
