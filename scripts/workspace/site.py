"""The workspace's names, its places on the disk, and the ids and addresses that follow from them."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from host.state import home, read_json, write_json
from workspace import tokens

PROVIDER = "Microsoft.MachineLearningServices"
STORE = "workspaceblobstore"
# Where the service keeps logs and default outputs of runs.
ARTIFACTS = "workspaceartifactstore"
# No name of the public cloud occurs in an address, so that nothing can reach it by mistake. `.localhost` is loopback's
# by RFC 6761.
CLOUD, SUFFIX = "LocalML", "localhost"
# The real service has a region here.
LOCATION = "local"


@dataclass(frozen=True)
class Names:
    """What a client gives to find the workspace."""

    subscription: str = "00000000-0000-0000-0000-000000000000"
    group: str = "local"
    workspace: str = "local"


@dataclass(frozen=True)
class Site:
    """One workspace, served on `port`."""

    names: Names
    folder: Path
    port: int
    secrets: tokens.Secrets

    @property
    def url(self) -> str:
        """Address of Resource Manager and of everything else."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def id(self) -> str:
        """Resource id of the workspace."""
        names = self.names
        base = f"/subscriptions/{names.subscription}/resourceGroups/{names.group}"
        return f"{base}/providers/{PROVIDER}/workspaces/{names.workspace}"

    @property
    def guid(self) -> str:
        """The workspace's own id, the same as long as its names are."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.id))

    @property
    def tenant(self) -> str:
        """Tenant of every token."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "tenant"))

    @property
    def account(self) -> str:
        """The storage account's name. The SDK builds `https://<account>.blob.<suffix>` of it, and names below
        `.localhost` do not resolve on every machine, so the account carries host and port, and the address becomes a
        path, as the storage SDK knows it from its own emulator."""
        return f"127.0.0.1:{self.port}/store"

    @property
    def storage_url(self) -> str:
        """Address of the storage account."""
        return f"https://{self.account}.blob.{SUFFIX}"

    def container(self, store: str) -> str:
        """Container of a datastore, in the service's manner."""
        return f"azureml-blobstore-{self.guid}" if store == STORE else "azureml"

    def store_of(self, container: str) -> str | None:
        """The datastore that a container belongs to."""
        return next((store for store in (STORE, ARTIFACTS) if self.container(store) == container), None)

    def blob_url(self, store: str, blob: str, query: str = "") -> str:
        """Address of a blob; with `query` a signed one."""
        address = f"{self.storage_url}/{self.container(store)}/{blob}"
        return f"{address}?{query}" if query else address


def folder() -> Path:
    """Where the workspace is kept."""
    path = home() / "workspace"
    path.mkdir(exist_ok=True)
    return path


def names() -> Names:
    """The names that the workspace has."""
    result = read_json(folder() / "names.json")
    return Names(**result) if result else Names()


def rename(given: Names) -> None:
    """Give the workspace its names; what it holds stays."""
    write_json(folder() / "names.json", vars(given))


def load(port: int) -> Site:
    """The workspace of this LOCALML_HOME."""
    return Site(names(), folder(), port, tokens.load(folder()))
