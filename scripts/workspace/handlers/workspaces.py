"""How a client finds its way: the cloud's metadata, the workspace, its discovery document, its datastores."""

from typing import Any

from workspace import tokens
from workspace.messages import Answer, Request, not_found
from workspace.site import ARTIFACTS, CLOUD, LOCATION, STORE, SUFFIX, Site
from workspace.translate import ids


def metadata(site: Site, request: Request) -> Answer:
    """The cloud, as ARM_CLOUD_METADATA_URL of azure-ai-ml wants it (`_azure_environments._convert_arm_to_cli`)."""
    cloud = {
        "name": CLOUD,
        "portal": f"https://portal.azure.{SUFFIX}",
        "resourceManager": f"{site.url}/",
        "authentication": {"loginEndpoint": f"{site.url}/login", "audiences": [site.url], "tenant": site.tenant},
        "suffixes": {"storage": SUFFIX},
    }
    return Answer(body=[cloud])


def show(site: Site, request: Request) -> Answer:
    """The workspace."""
    properties = {
        "workspaceId": site.guid,
        "friendlyName": site.names.workspace,
        "description": "The local engine, in the shape of an Azure ML workspace.",
        "discoveryUrl": f"{site.url}/discovery/workspaces/{site.guid}",
        "mlFlowTrackingUri": f"azureml://127.0.0.1:{site.port}/mlflow/v1.0{site.id}",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Disabled",
        "storageAccount": f"{site.id.split('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/store",
        "tenantId": site.tenant,
        "v1LegacyMode": False,
        "hbiWorkspace": False,
    }
    resource = ids.resource(site, "", site.names.workspace, properties)
    more = {"location": LOCATION, "kind": "Default", "tags": {}, "sku": {"name": "Basic", "tier": "Basic"}}
    kind = "Microsoft.MachineLearningServices/workspaces"
    return Answer(body={**resource, "id": site.id, "type": kind, **more, "identity": {"type": "SystemAssigned"}})


def discovery(site: Site, request: Request) -> Answer:
    """Addresses of the services behind a workspace; here all are one."""
    keys = ("api", "history", "catalog", "experimentation", "gallery", "hyperdrive", "mlflow", "notebooks", "studio")
    return Answer(body=dict.fromkeys(keys, site.url))


def datastores(site: Site, request: Request) -> Answer:
    """Both datastores, or with isDefault the one that is."""
    wanted = (STORE,) if request.query.get("isDefault", "").lower() == "true" else (STORE, ARTIFACTS)
    return Answer(body={"value": [_datastore(site, name) for name in wanted]})


def datastore(site: Site, request: Request) -> Answer:
    """One datastore."""
    return Answer(body=_datastore(site, _known(request["name"])))


def datastore_secrets(site: Site, request: Request) -> Answer:
    """A signature for the datastore's container, as the SDK asks for with expirable_secret."""
    store = _known(request["name"])
    signature = tokens.sas(site.secrets, site.container(store), "racwdl")
    return Answer(body={"secretsType": "Sas", "sasToken": signature}, headers={"Cache-Control": "no-store"})


def _known(name: str) -> str:
    if name not in (STORE, ARTIFACTS):
        raise not_found(f"Datastore {name}")
    return name


def _datastore(site: Site, name: str) -> dict[str, Any]:
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": site.account,
        "containerName": site.container(name),
        "endpoint": SUFFIX,
        "protocol": "https",
        "isDefault": name == STORE,
        "credentials": {"credentialsType": "Sas"},
        "tags": {},
        "properties": {},
    }
    return ids.resource(site, f"datastores/{name}", name, properties)
