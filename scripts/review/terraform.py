"""Arguments of Terraform files, read line by line: enough to say which of them changed, without Terraform."""

import re
from collections.abc import Iterator

_HEADER = re.compile(r'^([\w-]+)((?:\s+"[^"]*")*)\s*\{$')
_MAP = re.compile(r'^"?([\w./ -]+?)"?\s*=\s*\{$')
_ARGUMENT = re.compile(r'^"?([\w./ -]+?)"?\s*=(?![=>])\s*(.*)$')
_HEREDOC = re.compile(r"<<-?(\w+)$")
_QUOTED_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|(#.*|//.*)')


def arguments(text: str) -> dict[str, str]:
    """`azurerm_subnet.main.name` -> `"snet"`, for every argument of blocks and maps; comments are left out."""
    named: dict[str, str] = {}
    for path, value in _arguments(text):
        # Blocks of one type may stand beside each other.
        number = next(n for n in range(1, len(named) + 2) if (path if n == 1 else f"{path}#{n}") not in named)
        named[path if number == 1 else f"{path}#{number}"] = value
    return named


def _arguments(text: str) -> Iterator[tuple[str, str]]:
    stack: list[str] = []
    lines = iter(text.splitlines())
    for raw in lines:
        line = _bare(raw)
        if (opened := _name(line)) is not None:
            stack.append(opened)
        elif line == "}" and stack:
            stack.pop()
        elif (match := _ARGUMENT.match(line)) is not None:
            yield ".".join([*stack, match.group(1)]), _whole(match.group(2), lines)


def _name(line: str) -> str | None:
    """Name of the block or map that a line opens; a resource goes by its type and name."""
    if (match := _MAP.match(line)) is not None:
        return match.group(1)
    if (match := _HEADER.match(line)) is None:
        return None
    labels = re.findall(r'"([^"]*)"', match.group(2))
    return ".".join(labels if match.group(1) == "resource" else [match.group(1), *labels])


def _whole(value: str, lines: Iterator[str]) -> str:
    """A value with the lines that it goes on over."""
    parts = [value]
    heredoc = _HEREDOC.search(value)
    while heredoc or _depth(" ".join(parts)) > 0:
        line = next(lines, None)
        if line is None:
            break
        parts.append(line.strip() if heredoc else _bare(line))
        if heredoc and parts[-1] == heredoc.group(1):
            break
    return " ".join(part for part in parts if part)


def _bare(line: str) -> str:
    return _QUOTED_OR_COMMENT.sub(lambda match: "" if match.group(1) else match.group(), line).strip()


def _depth(text: str) -> int:
    """How many brackets are open outside of quotes."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', "", text)
    return sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
