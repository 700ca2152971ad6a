"""Format one spec: whole lines move, so comments, quotes and line breaks inside a value stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from amlspec.command import lines_of
from specfmt.order import PORT, SPEC, sorted_keys

Keys = tuple[str, ...]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Problem:
    """Where formatting would change something: 1-based line and what is wrong there."""

    line: int
    message: str


@dataclass(frozen=True)
class _Edit:
    problem: Problem
    text: str


def format_text(text: str) -> str:
    """The formatted spec. Text that is not an Azure ML spec (no $schema), or no YAML, comes back as it is.

    Windows line ends and a byte order mark stay.
    """
    mark, newline, plain = _plain(text)
    formatted = plain
    for step in _steps(plain):
        formatted = step
    return text if formatted == plain else mark + formatted.replace("\n", newline)


def _plain(text: str) -> tuple[str, str, str]:
    """(byte order mark, line end, the text without both). Mixed line ends are left as they are."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    windows = "\r\n" in text and text.count("\r\n") == text.count("\n")
    plain = text.removeprefix(mark)
    return mark, "\r\n" if windows else "\n", plain.replace("\r\n", "\n") if windows else plain


def problems(text: str) -> list[Problem]:
    """What format_text would change, by line."""
    *_, text = _plain(text)
    data = _data(text)
    if not isinstance(data, dict) or "$schema" not in data:
        return []
    problems = (edit.problem for edit in _edits(text) if edit.text != text and _data(edit.text) == data)
    return sorted(problems, key=lambda problem: problem.line)


def _steps(text: str) -> Iterator[str]:
    """Apply one edit after the other. An edit that would change the data (a comment or anchor in its way) is left."""
    data = _data(text)
    if not isinstance(data, dict) or "$schema" not in data:
        return
    refused: set[str] = set()
    while True:
        edit = next((e for e in _edits(text) if e.text not in refused and e.text != text), None)
        if edit is None:
            return
        if _data(edit.text) == data:
            text = edit.text
            refused.clear()
            yield text
        else:
            refused.add(edit.text)


def _data(text: str) -> object:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - both loaders are safe ones
    except yaml.YAMLError:
        return None


def _edits(text: str) -> Iterator[_Edit]:
    root = yaml.compose(text, Loader=_Loader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return
    lines = text.splitlines(keepends=True)
    for node, order in _ordered(root):
        yield from _reorder(lines, node, order)
    for holder in [root, *(job for job, _ in _entries(root, "jobs"))]:
        yield from _reflow(lines, holder)


def _ordered(root: yaml.MappingNode) -> Iterator[tuple[yaml.MappingNode, Sequence[str]]]:
    """Every mapping whose keys have an order, with that order."""
    yield root, SPEC
    for job, _ in _entries(root, "jobs"):
        yield job, SPEC
    for side in ("inputs", "outputs"):
        yield from ((port, PORT) for port, _ in _entries(root, side))


def _entries(root: yaml.MappingNode, key: str) -> Iterator[tuple[yaml.MappingNode, str]]:
    """Block mappings below a key, with their names."""
    for name, value in root.value:
        if name.value == key and isinstance(value, yaml.MappingNode):
            for inner, entry in value.value:
                if isinstance(entry, yaml.MappingNode) and not entry.flow_style:
                    yield entry, inner.value


def _reorder(lines: list[str], node: yaml.MappingNode, order: Sequence[str]) -> Iterator[_Edit]:
    keys = [str(key.value) for key, _ in node.value]
    wanted = sorted_keys(keys, order)
    if keys == wanted or len(set(keys)) != len(keys):
        return
    # The comment that opens a file speaks of the whole file and stays.
    starts = [_start(lines, key, fixed=key.start_mark.column == 0 and i == 0) for i, (key, _) in enumerate(node.value)]
    end = _end(lines, node, starts[-1])
    blocks = {key: lines[a:b] for key, a, b in zip(keys, starts, [*starts[1:], end], strict=True)}
    moved = [line for key in wanted for line in _closed(blocks[key])]
    key, before = next((w, k) for k, w in zip(keys, wanted, strict=True) if k != w)
    at = node.value[keys.index(key)][0].start_mark.line + 1
    message = f"key order: '{key}' comes before '{before}': run make fmt"
    yield _Edit(Problem(at, message), "".join([*lines[: starts[0]], *moved, *lines[end:]]))


def _closed(block: list[str]) -> list[str]:
    """A block whose last line ends: the last line of a file may not."""
    return block if not block or block[-1].endswith("\n") else [*block[:-1], block[-1] + "\n"]


def _start(lines: list[str], key: yaml.Node, fixed: bool) -> int:
    """First line of a key's block: comments and blank lines above go with it, unless they are fixed."""
    line, column = key.start_mark.line, key.start_mark.column
    while not fixed and line > 0 and _is_beside(lines[line - 1], column):
        line -= 1
    return int(line)


def _is_beside(line: str, column: int) -> bool:
    """A blank line, or a comment that stands exactly at the key's column."""
    bare = line.strip()
    return not bare or (bare.startswith("#") and len(line) - len(line.lstrip()) == column)


def _end(lines: list[str], node: yaml.MappingNode, floor: int) -> int:
    """Line after the last one of a mapping; comments and blank lines behind it belong to what follows."""
    end = min(node.end_mark.line + (1 if node.end_mark.column else 0), len(lines))
    column = node.start_mark.column
    while end > floor + 1:
        bare, indent = lines[end - 1].strip(), len(lines[end - 1]) - len(lines[end - 1].lstrip())
        if bare and not (bare.startswith("#") and indent <= column) and indent >= column:
            break
        end -= 1
    return end


def _reflow(lines: list[str], holder: yaml.MappingNode) -> Iterator[_Edit]:
    for key, value in holder.value:
        if key.value != "command" or not isinstance(value, yaml.ScalarNode):
            continue
        pieces = lines_of(value.value)
        if pieces is None:
            return
        start, column = key.start_mark.line, key.start_mark.column
        stop = _scalar_end(lines, value, start)
        head = lines[start][:column] + "command: >-" + _comment(lines[start], value)
        body = [f"{' ' * (column + 2)}{piece}\n" for piece in pieces]
        message = "command: write >- and one flag a line: run make fmt"
        yield _Edit(Problem(start + 1, message), "".join([*lines[:start], f"{head}\n", *body, *lines[stop:]]))


def _scalar_end(lines: list[str], value: yaml.ScalarNode, start: int) -> int:
    """Line after the last one of a scalar."""
    end = min(value.end_mark.line + (1 if value.end_mark.column else 0), len(lines))
    if value.style in ("|", ">"):
        while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
    return max(end, start + 1)


def _comment(line: str, value: yaml.ScalarNode) -> str:
    """The comment at the end of the command's first line."""
    after = line.rstrip("\n")[value.start_mark.column + 1 :] if value.style in ("|", ">") else ""
    if value.style not in ("|", ">") and value.end_mark.line == value.start_mark.line:
        after = line.rstrip("\n")[value.end_mark.column :]
    at = after.find(" #")
    return f"  {after[at + 1 :]}" if at >= 0 else ""
