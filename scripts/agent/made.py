"""What stands in a project of Azure DevOps, as far as a bootstrap has come."""

from dataclasses import dataclass, field


@dataclass
class Made:
    """Ids of what is there, by name; empty in a dry run for what would be made."""

    connections: dict[str, str] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    federation: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
