"""Variables of a run, by names without case: `$(name)` in texts, environment variables of steps."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from agent import expressions, functions
from amlspec.errors import UserError

MACRO = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")
RUNTIME = re.compile(r"^\s*\$\[(.*)\]\s*$", re.DOTALL)
MASK = "***"
# A variable may name another one, which may name a third.
_DEPTH = 10


class Variables(Mapping[str, str]):
    """Values by names; a copy is the scope of a job."""

    def __init__(self, values: Mapping[str, str] | None = None, secrets: Iterable[str] = ()) -> None:
        self._values: dict[str, tuple[str, str]] = {}
        self.secrets = set(secrets)
        for name, value in (values or {}).items():
            self.set(name, value)

    def set(self, name: str, value: str) -> None:
        """Set one; the last value counts."""
        self._values[name.lower()] = (name, value)

    def copy(self) -> "Variables":
        """The same values, to be changed apart."""
        return Variables(dict(self.items()), self.secrets)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def put_in(self, text: str) -> str:
        """A text with its `$(name)` replaced; one that there is not stays, as on an agent."""
        for _ in range(_DEPTH):
            made = MACRO.sub(lambda match: self.get(match[1], match[0]), text)
            if made == text:
                break
            text = made
        return text

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or the default."""
        entry = self._values.get(name.lower())
        return entry[1] if entry else default

    def environment(self) -> dict[str, str]:
        """Variables as a step's environment has them; secrets only where a step maps them."""
        return {
            re.sub(r"[^A-Za-z0-9_]", "_", name).upper(): self.put_in(value)
            for name, value in self.items()
            if name.lower() not in self.secrets
        }

    def masked(self, line: str) -> str:
        """A line of a log without the values of secrets."""
        for name in self.secrets:
            if value := self.get(name):
                line = line.replace(value, MASK)
        return line

    def add(
        self,
        given: Iterable[Mapping[str, str]],
        group: Callable[[str], Mapping[str, str]],
        values: Mapping[str, Any],
        where: str,
    ) -> None:
        """Add variables of a pipeline, stage or job.

        Args:
            given: {name, value} or {group}; a value may be a `$[ ]` expression.
            group: the variables of a group by its name.
            values: contexts of those expressions.
            where: file:line, for errors.
        """
        for each in given:
            if "group" in each:
                for name, value in group(each["group"]).items():
                    self.set(name, value)
                continue
            runtime = RUNTIME.match(each["value"])
            self.set(each["name"], self._worked_out(runtime[1], values, where) if runtime else each["value"])

    def _worked_out(self, text: str, values: Mapping[str, Any], where: str) -> str:
        try:
            return functions.text(expressions.evaluate(text, {**values, "variables": self}))
        except UserError as error:
            raise UserError(f"{where}: variables: {error}") from None
