"""Where a verb works: this machine (ENV=local) or an environment on Azure, whose names Terraform has put out."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from amlspec.errors import UserError
from infra.attach import REQUIRED

ENVIRONMENTS = ("local", "dev", "prod")
# Set while a pipeline runs on this machine (`make ci`): the folder of the workspaces that stand for dev and prod.
LAPTOP, STANDS_FOR = "DEMAND_ENVIRONMENTS", "DEMAND_STANDS_FOR"
OUTPUTS = Path("infra/outputs")
# What the files of infra/outputs may name; each may also be given on make's command line.
NAMES = frozenset({
    *REQUIRED,
    *("ENDPOINT", "IMAGE_BUILD_COMPUTE", "TRAINING_COMPUTE", "SNOWFLAKE_SECRET", "SIGNING_KEY", "VAULT", "VAULT_URI"),
    "IDENTITY",
    *("STATE_CONTAINER", "STATE_GROUP", "STATE_KEY"),
    *("OUTBOUND_FQDNS", "SCORING_CERTIFICATE", "SCORING_SECRET", "SCORING_HOST", "EXTENSION_INSTALLED", "INSIGHTS"),
    *("IMPORT_SPECS", "LOCAL_WORKSPACE", "WATCH_SECONDS"),
})  # fmt: skip
ATTACHED = (*REQUIRED, "OUTBOUND_FQDNS", "VAULT", "SCORING_CERTIFICATE", "SCORING_SECRET", "SCORING_HOST",
            "EXTENSION_INSTALLED")  # fmt: skip


def env() -> str:
    """local, dev or prod. Raises UserError for another word."""
    name = os.environ.get("ENV", "local")
    if name not in ENVIRONMENTS:
        raise UserError(f"ENV={name} is not an environment: give local, dev or prod")
    return name


def is_local() -> bool:
    """Whether verbs work on this machine."""
    return env() == "local"


def enter() -> None:
    """Set what the programs read: where state is, which `az ml` is meant, and the names of the environment."""
    os.environ["ENV"] = env()
    if not is_local() and os.environ.get(LAPTOP):
        os.environ |= on_laptop(env())
    os.environ.setdefault("LOCALML_HOME", str(Path.cwd() / ".localml"))
    if is_local():
        os.environ["AZ_ML"] = shlex.join([sys.executable, "-m", "localml"])
        return
    os.environ["AZ_ML"] = "az ml"
    for key, value in names().items():
        os.environ[key] = value
    # Group and workspace of every call of az; nobody types one twice.
    os.environ["AZURE_DEFAULTS_GROUP"] = os.environ["GROUP"]
    os.environ["AZURE_DEFAULTS_WORKSPACE"] = os.environ["WORKSPACE"]


def on_laptop(environment: str) -> dict[str, str]:
    """What makes a workspace of this machine stand for an environment of Azure."""
    folder = str(Path(os.environ[LAPTOP]) / environment)
    keys = str(Path(os.environ[LAPTOP]) / "keys")  # one for all, so that prod takes what dev has signed
    return {"ENV": "local", STANDS_FOR: environment, "LOCALML_HOME": folder, "MODEL_SIGNING_KEYS": keys}


def stands_for() -> str | None:
    """The environment of Azure that a workspace of this machine stands for; None where none does."""
    return os.environ.get(STANDS_FOR)


def names(environment: str | None = None) -> dict[str, str]:
    """Names of an environment: as Terraform makes them, what a deployment added, and what was given with the call."""
    environment = environment or env()
    texts = (_text(OUTPUTS / f"{environment}.mk"), _text(OUTPUTS / f"{environment}.deployed.mk"))
    known = dict(re.findall(r"^(\w+) := ?(.*)$", "\n".join(texts), re.MULTILINE))
    given = os.environ.get("DEMAND_GIVEN", "").split()
    return known | {name: os.environ[name] for name in given if name in NAMES and name in os.environ}


def needs_az() -> None:
    """Raises UserError where a verb of Azure has no Azure CLI."""
    if not is_local() and not shutil.which("az"):
        raise UserError(f"ENV={env()} needs the Azure CLI, and az is not on PATH: make doctor says what to install")


def vault() -> dict[str, str]:
    """Where the private key for Snowflake is, where an environment has a vault: key of the vault -> value."""
    uri = os.environ.get("VAULT_URI", "")
    return {"vault_url": uri, "key_name": os.environ.get("SNOWFLAKE_SECRET", "")} if uri and not is_local() else {}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
