"""What a check says: a place, the problem and the fix, in one line."""

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Finding:
    """One problem. Sorts by path, then line, then message, so that two runs print the same.

    `rule` says which rule found it. `style/...` are rules of this house and `repo/...` hold a spec against the rest of
    the repo: Azure's loaders know of neither.
    """

    path: str
    line: int
    message: str
    rule: str = field(default="", compare=False)

    @property
    def is_error_of_the_spec(self) -> bool:
        """Whether Azure's loader of this spec may say the same."""
        return not self.rule.startswith(("style/", "repo/"))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"
