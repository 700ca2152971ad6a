"""What a client needs to come here, as variables that azure-ai-ml, azure-identity and requests read by themselves."""

import shlex
import textwrap
from pathlib import Path

from amlspec.document import display
from host.state import write_text
from workspace import certificates
from workspace.site import CLOUD, Site

_EXAMPLE = Path(__file__).with_name("example.py")


def variables(site: Site) -> dict[str, str]:
    """The variables; IDENTITY_HEADER is a secret, the others are not."""
    ca = str(certificates.files(site.folder).ca)
    return {
        # azure-ai-ml, _azure_environments.py: every address of the cloud comes from here.
        "ARM_CLOUD_METADATA_URL": f"{site.url}/metadata/endpoints",
        # azureml-mlflow, _common/_cloud/cloud.py: which of that list, or it looks into that of the public cloud.
        "AZUREML_CURRENT_CLOUD": CLOUD,
        # azure-identity, app_service.py: DefaultAzureCredential and ManagedIdentityCredential ask here.
        "IDENTITY_ENDPOINT": f"{site.url}/identity/token",
        "IDENTITY_HEADER": site.secrets.identity,
        # requests, and with it azure-core; nothing but this workspace is believed.
        "REQUESTS_CA_BUNDLE": ca,
        "SSL_CERT_FILE": ca,
        "NO_PROXY": "127.0.0.1,localhost",
        "AZURE_SUBSCRIPTION_ID": site.names.subscription,
        "AZURE_DEFAULTS_GROUP": site.names.group,
        "AZURE_DEFAULTS_WORKSPACE": site.names.workspace,
    }


def write(site: Site) -> Path:
    """A file to source in a shell, which only its owner reads."""
    path = site.folder / "env.sh"
    text = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables(site).items())
    write_text(path, text)
    return path


def example(site: Site) -> Path:
    """A Python script that uses the workspace, with its names in it."""
    path = site.folder / "example.py"
    text = _EXAMPLE.read_text(encoding="utf-8").replace("  # noqa: T201", "")
    for key, value in vars(site.names).items():
        text = text.replace(f"{{{key}}}", value)
    write_text(path, text)
    return path


def shown(site: Site) -> str:
    """What `make workspace` prints: where the workspace is, and how a client comes to it. No secret is in it."""
    code = example(site).read_text(encoding="utf-8").split('"""\n\n', 1)[1]
    return (
        f"Workspace {site.names.workspace} in group {site.names.group}: {site.url}\n"
        f"CA: {display(certificates.files(site.folder).ca)}\n"
        f"In a shell: source {shlex.quote(str(display(write(site))))}\n"
        f"Then, as in {display(site.folder / 'example.py')}:\n\n{textwrap.indent(code, '    ')}"
    )
