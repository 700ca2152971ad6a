"""Expressions of Azure Pipelines: `${{ }}`, `$[ ]` and conditions.

Grammar, functions and conversions: https://learn.microsoft.com/azure/devops/pipelines/process/expressions. What is not
among them is an error that names it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent import functions
from amlspec.errors import UserError

TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<version>\d+(?:\.\d+){2,3})(?![\w.])"
    r"|(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+))(?![\w.])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<mark>[()\[\],.*]))"
)
Function = Callable[..., Any]
CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Token:
    """A word of an expression."""

    kind: str
    text: str


def evaluate(text: str, values: Mapping[str, Any], more: Mapping[str, Function] | None = None) -> Any:
    """The value of an expression.

    Args:
        text: without its braces.
        values: contexts by name, such as variables, parameters, dependencies.
        more: functions of the place, such as succeeded(); names are compared without case.

    Raises:
        UserError: not an expression, or a function or context that is not known here.
    """
    known = {**functions.TABLE, **{name.lower(): each for name, each in (more or {}).items()}}
    parser = _Parser(text, _tokens(text), {name.lower(): each for name, each in values.items()}, known)
    value = parser.expression()
    parser.end()
    return value()


def is_true(value: Any) -> bool:
    """The value as a condition takes it."""
    return functions.boolean(value)


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise UserError(f"{text.strip()}: not an expression at {text[place:].strip()[:20]!r}")
        tokens.append(Token(match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return tokens


class _Parser:
    """Recursive descent; each value is a function without parameters, so that and/or can leave one out."""

    def __init__(
        self, text: str, tokens: Sequence[Token], values: Mapping[str, Any], known: Mapping[str, Function]
    ) -> None:
        self.text, self.tokens, self.values, self.known = text.strip(), list(tokens), values, known
        self.place = 0

    def expression(self) -> Callable[[], Any]:
        token = self._next()
        if token.kind == "string":
            return _constant(token.text[1:-1].replace("''", "'"))
        if token.kind == "version":
            return _constant(functions.Version(token.text))
        if token.kind == "number":
            return _constant(float(token.text) if "." in token.text else int(token.text))
        if token.kind != "name":
            raise UserError(f"{self.text}: a value was expected, not {token.text}")
        if self._at("("):
            return self._call(token.text)
        if token.text.lower() in CONSTANTS:
            return _constant(CONSTANTS[token.text.lower()])
        return self._path(token.text)

    def end(self) -> None:
        """Raises UserError where something is left."""
        if self.place < len(self.tokens):
            raise UserError(f"{self.text}: not understood from {self.tokens[self.place].text!r} on")

    def _call(self, name: str) -> Callable[[], Any]:
        function = self.known.get(name.lower())
        if function is None:
            raise UserError(f"{self.text}: the function {name} is not known here")
        self._take("(")
        given: list[Callable[[], Any]] = []
        while not self._at(")"):
            given.append(self.expression())
            if not self._at(")"):
                self._take(",")
        self._take(")")
        return lambda: functions.call(name, function, given)

    def _path(self, name: str) -> Callable[[], Any]:
        if name.lower() not in self.values:
            raise UserError(f"{self.text}: {name} is not a value that can be had here")
        steps: list[tuple[str, Callable[[], Any]]] = []
        while self._at(".") or self._at("["):
            if self._at("["):
                self._take("[")
                steps.append(("index", self.expression()))
                self._take("]")
                continue
            self._take(".")
            token = self._next()
            steps.append(("all", _constant(None)) if token.text == "*" else ("index", _constant(token.text)))
        root = self.values[name.lower()]

        def value() -> Any:
            return _walk(root, [(kind, step()) for kind, step in steps])

        return value

    def _at(self, mark: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place].text == mark

    def _next(self) -> Token:
        if self.place >= len(self.tokens):
            raise UserError(f"{self.text}: the expression ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _take(self, mark: str) -> None:
        if self._next().text != mark:
            raise UserError(f"{self.text}: {mark} was expected, not {self.tokens[self.place - 1].text}")


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _walk(value: Any, steps: Sequence[tuple[str, Any]]) -> Any:
    """The value at the end of a path; null where a name is not there. After `*` a list is walked item by item."""
    is_filtered = False
    for kind, key in steps:
        if kind == "all":
            each = list(value.values()) if isinstance(value, Mapping) else list(value or [])
            value, is_filtered = each, True
        elif is_filtered:
            value = [one for one in (_member(item, key) for item in value) if one is not None]
        else:
            value = _member(value, key)
    return value


def _member(value: Any, key: Any) -> Any:
    """A member by name, without case, or by number."""
    if isinstance(value, Mapping):
        wanted = functions.text(key).lower()
        return next((each for name, each in value.items() if str(name).lower() == wanted), None)
    if isinstance(value, list):
        place = functions.number(key)
        return value[int(place)] if place is not None and 0 <= place < len(value) else None
    return None
