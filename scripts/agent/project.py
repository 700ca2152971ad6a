"""What .azuredevops/project.yml says of the project: environments, connections, variable groups, pipelines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec.document import Document, read_document
from amlspec.errors import UserError

FOLDER = ".azuredevops"
FILE = "project.yml"


@dataclass(frozen=True)
class Project:
    """The file, read."""

    document: Document

    @property
    def environments(self) -> Mapping[str, Mapping[str, Any]]:
        """Name -> description and checks (approval, lock, branch)."""
        return self.document.table("environments")

    @property
    def connections(self) -> Mapping[str, Mapping[str, Any]]:
        """Name -> environment of Azure, identity, and whether it may be used from main alone."""
        return self.document.table("connections")

    @property
    def groups(self) -> Mapping[str, Mapping[str, str]]:
        """Name of a variable group -> what each of its variables is, in words."""
        return self.document.table("groups")

    def asks(self, environment: str) -> bool:
        """Whether a person must approve a stage of that environment. Raises UserError for one that is not there."""
        if environment not in self.environments:
            known = ", ".join(self.environments)
            raise UserError(f"environment {environment} is not in {self.document.shown}: it has {known}")
        return bool(self.environments[environment].get("approval"))


def read(root: Path) -> Project:
    """The project of a checkout. Raises UserError where there is none."""
    return Project(read_document(root / FOLDER / FILE))
