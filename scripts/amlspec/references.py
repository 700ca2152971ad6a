"""References between assets: `azureml:name:version` and `azureml:name@label`, parsed once for everyone."""

import re
from dataclasses import dataclass

PREFIX = "azureml:"
LATEST = "latest"
_REFERENCE = re.compile(r"azureml:(?!//)([^:@/]+)(?::([^:@/]+)|@([^:@/]+))?")
# As the service shows what a record refers to.
_RESOURCE = re.compile(r"/([A-Za-z]+)/([^/]+)/(?:versions/([^/]+)|labels/([^/]+))$")


@dataclass(frozen=True)
class Reference:
    """What a reference names; of `version` and `label` one is set, or neither."""

    name: str
    version: str | None = None
    label: str | None = None

    @classmethod
    def parse(cls, text: object) -> "Reference | None":
        """The reference, or None for a path, a URI or anything else."""
        match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
        return cls(match[1], match[2], match[3]) if match else None

    @classmethod
    def of_resource(cls, text: object) -> "Reference | None":
        """The same of a resource id too: `azureml:demand:2` or what ends in /environments/demand/versions/2."""
        match = _RESOURCE.search(text) if isinstance(text, str) else None
        return cls(match[2], match[3], match[4]) if match else cls.parse(text)

    @property
    def pin(self) -> str:
        """What stands behind the name: a version or a label; empty where neither does."""
        return self.version or self.label or ""

    @property
    def is_resolvable(self) -> bool:
        """Whether it leads to one version: it has one, or the label that every asset has."""
        return self.version is not None or self.label == LATEST

    def __str__(self) -> str:
        return f"{PREFIX}{self.name}" + (f":{self.version}" if self.version else f"@{self.label}" if self.label else "")


def is_named(text: str) -> bool:
    """Whether a text means an asset of the workspace by name, well written or not; a URI (azureml://) does not."""
    return text.startswith(PREFIX) and not text.startswith(f"{PREFIX}//")


def bare(text: str) -> str:
    """A name that needs no version, such as a compute's, without azureml: before it."""
    return text.removeprefix(PREFIX)
