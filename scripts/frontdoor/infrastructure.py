"""Verbs of the infrastructure: Terraform behind a guard, and what Terraform cannot do."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from amlspec.errors import UserError
from drift import __main__ as drifts
from frontdoor import environment, site
from frontdoor.app import INFRASTRUCTURE, verb
from frontdoor.options import words
from infra import common as infra
from infra import names, outputs, plan_guard

Allow = Annotated[str, typer.Option(help="addresses that the plan may delete or replace although they are protected")]
LOCK = Path("infra/.terraform.lock.hcl")


@verb(INFRASTRUCTURE)
def bootstrap_infra() -> int:
    """Make the storage of Terraform's state, once (ENV=dev|prod)."""
    _needs("bootstrap-infra")
    return _script("infra/bootstrap.sh", site.env())


@verb(INFRASTRUCTURE)
def plan_infra(
    allow: Allow = "",
    keep_json: Annotated[
        bool, typer.Option("--keep-json", help="keep the plan as JSON, for make review PLAN=")
    ] = False,
) -> int:
    """Save a plan and say what it would delete or replace (ENV=dev|prod)."""
    _init("plan-infra")
    env = site.env()
    _terraform("plan", "-input=false", f"-var-file=environments/{env}.tfvars", f"-out=outputs/{env}.tfplan")
    code = _guard(f"outputs/{env}.tfplan", "--allow", allow, keeps=keep_json)
    if code == plan_guard.REFUSED:
        sys.stdout.write("make deploy-infra would refuse this plan\n")
    return 0 if code == plan_guard.REFUSED else code


@verb(INFRASTRUCTURE, "make deploy-infra ENV=dev")
def deploy_infra(allow: Allow = "") -> int:
    """Apply the saved plan, unless the guard refuses it (ENV=dev|prod)."""
    _needs("deploy-infra")
    env = site.env()
    plan = site.OUTPUTS / f"{env}.tfplan"
    if not plan.is_file():
        raise UserError(f"no saved plan for {env}: make plan-infra ENV={env}, read it, then deploy")
    # The plan may come from another machine: a pipeline plans in one stage and applies in the next.
    _init("deploy-infra")
    if code := _guard(f"outputs/{env}.tfplan", "--allow", allow):
        return code
    _terraform("apply", "-input=false", f"outputs/{env}.tfplan")
    plan.unlink()
    _put_out()
    return _attach()


@verb(INFRASTRUCTURE)
def attach_infra() -> int:
    """Namespace, certificate, attached cluster: what Terraform cannot do (deploy calls it)."""
    _needs("attach-infra")
    return _attach()


@verb(INFRASTRUCTURE)
def outputs_infra() -> None:
    """Write the names and ids that the other verbs use (ENV=dev|prod)."""
    _init("outputs-infra")
    _put_out()


@verb(INFRASTRUCTURE, "make destroy-infra ENV=dev CONFIRM=dev")
def destroy_infra(
    purge: Annotated[
        str | None, typer.Option(help="yes: free the names at once; default: yes in dev, no in prod")
    ] = None,
    confirm: Annotated[str | None, typer.Option(help="the environment's name, where nobody can be asked")] = None,
) -> int:
    """List what goes, ask for the environment's name, destroy (ENV=dev|prod)."""
    _init("destroy-infra")
    env = site.env()
    # Where an environment comes and goes, its names must be free again; soft delete holds a workspace's for 14 days.
    is_purged = (purge or ("yes" if env == "dev" else "no")) == "yes"
    plan, log = f"outputs/{env}.destroy.tfplan", site.OUTPUTS / f"{env}.destroy.log"
    given = ("-var=destroying=true", f"-var=purge_on_destroy={str(is_purged).lower()}")
    _logged(log, "plan", "-destroy", "-input=false", f"-var-file=environments/{env}.tfvars", f"-out={plan}", *given)
    # The plan goes to a file, because the question reads the terminal.
    shown = site.OUTPUTS / f"{env}.destroy.tfplan.json"
    shown.write_text(_captured("show", "-json", plan), encoding="utf-8")
    code = plan_guard.main(["--env", env, "--destroy", "--plan", str(shown), *words(confirm=confirm)])
    if code:
        return code
    _terraform("apply", "-input=false", plan)
    for path in [*site.OUTPUTS.glob(f"{env}.destroy.*"), site.OUTPUTS / f"{env}.deployed.mk"]:
        path.unlink(missing_ok=True)
    return 0


@verb(INFRASTRUCTURE)
def lock_infra() -> None:
    """Write the checksums of Terraform's providers for every platform, to be committed (ENV=dev)."""
    _needs("lock-infra")
    # Where a registry can be reached. Every platform that plans or applies stands in it: agents, laptops.
    _terraform("providers", "lock", *(f"-platform={each}" for each in ("linux_amd64", "darwin_arm64", "windows_amd64")))


@verb(INFRASTRUCTURE)
def renew_certificate() -> int:
    """Bring the scoring certificate from the vault into the cluster (ENV=prod)."""
    _needs("renew-certificate")
    if not os.environ.get("SCORING_CERTIFICATE"):
        env = site.env()
        raise UserError(f"{env} serves no TLS, or nothing is known of its deployment: make outputs-infra ENV={env}")
    return _script("infra/attach.sh", "--only", "certificate")


@verb(INFRASTRUCTURE)
def drift() -> int:
    """Say where the cloud differs from git; exit 3 if it does (ENV=local|dev|prod)."""
    site.needs_az()
    # The workspace of this machine (LOCAL_WORKSPACE) has no Terraform behind it.
    if not site.is_local() and not os.environ.get("LOCAL_WORKSPACE"):
        _init("drift")
        os.environ["ARM_SUBSCRIPTION_ID"] = _subscription()
    return drifts.main([])


@verb(INFRASTRUCTURE)
def test_infra() -> int:
    """Test Terraform, its tools and its security rules, without Azure."""
    # checkov's pins clash with ours, so it lives apart.
    python = environment.beside(Path(".venv-checkov"), Path("infra/requirements-checkov.txt"), "checkov")
    checkov = [str(python.parent / "checkov"), "--config-file", "infra/.checkov.yml", "--directory", "infra"]
    code = subprocess.run(checkov, check=False).returncode
    pytest = [sys.executable, "-m", "pytest", "tests/infra", "-rs"]
    return code or subprocess.run(pytest, check=False).returncode


@verb(INFRASTRUCTURE, "make mutate-infra ONLY=vault")
def mutate_infra(only: Annotated[str | None, typer.Option(help="words of a rule")] = None) -> int:
    """Break each rule of infra/ in turn and see its test fail."""
    command = [sys.executable, "mutations.py", *shlex.split(only or "")]
    return subprocess.run(command, cwd="tests/infra", check=False).returncode


def _needs(verb_name: str) -> None:
    """Raises UserError where there is no infrastructure, or no Terraform.

    Ends the verb well, and says so, where a pipeline runs on a laptop: no Azure is there to plan or to change.
    """
    if environment := site.stands_for():
        infra.say(f"stand-in: {verb_name} of {environment} needs Azure, so nothing is planned or changed here")
        if verb_name == "plan-infra":
            (site.OUTPUTS / f"{environment}.tfplan").write_text("stand-in\n", encoding="utf-8")
            (site.OUTPUTS / f"{environment}.tfplan.json").write_text('{"resource_changes": []}\n', encoding="utf-8")
        raise typer.Exit(0)
    if site.is_local():
        raise UserError(f"ENV=local is this machine and has no infrastructure: make {verb_name} ENV=dev (or prod)")
    if not shutil.which("terraform"):
        raise UserError("terraform is not on PATH: make doctor says what to install")


def _init(verb_name: str) -> None:
    """Terraform, with the state of the environment."""
    _needs(verb_name)
    if _is_pipeline() and not LOCK.is_file():
        raise UserError(
            f"{LOCK} is missing, so this pipeline would take providers that nobody has seen: make lock-infra where a "
            "registry can be reached, commit it"
        )
    env = site.env()
    made = names.ask_terraform(env, _subscription()).names
    (site.OUTPUTS / f"{env}.backend.hcl").write_text(names.backend(made), encoding="utf-8")
    readonly = ["-lockfile=readonly"] if _is_pipeline() else []
    backend = f"-backend-config=outputs/{env}.backend.hcl"
    try:
        _logged(site.OUTPUTS / f"{env}.init.log", "init", "-input=false", "-reconfigure", *readonly, backend)
    except UserError:
        raise UserError(
            f"no remote state for {env} yet, or no access to it: make bootstrap-infra ENV={env}", 1
        ) from None


def _is_pipeline() -> bool:
    """In a pipeline, which must not choose versions by itself: Azure Pipelines sets TF_BUILD, most others CI."""
    return bool(os.environ.get("TF_BUILD") or os.environ.get("CI"))


@cache
def _subscription() -> str:
    return infra.subscription()


def _command(given: Sequence[str]) -> list[str]:
    os.environ["ARM_SUBSCRIPTION_ID"] = _subscription()  # the provider takes none from the CLI by itself
    return ["terraform", "-chdir=infra", *given]


def _terraform(*given: str) -> None:
    done = subprocess.run(_command(given), check=False)
    if done.returncode:
        raise UserError(f"terraform {given[0]} ended with {done.returncode}", 1)


def _captured(*given: str) -> str:
    done = subprocess.run(_command(given), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UserError(f"terraform {given[0]} ended with {done.returncode}", 1)
    return done.stdout


def _logged(log: Path, *given: str) -> None:
    """A call whose output goes to a file; its end is shown where it failed."""
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(_command(given), stdout=stream, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.stderr.writelines(f"{line}\n" for line in log.read_text(encoding="utf-8").splitlines()[-20:])
        raise UserError(f"terraform {given[0]} ended with {done.returncode}", 1)


def _guard(plan: str, *given: str, keeps: bool = False) -> int:
    shown = site.OUTPUTS / f"{site.env()}.tfplan.json"
    shown.write_text(_captured("show", "-json", plan), encoding="utf-8")
    try:
        return plan_guard.main(["--env", site.env(), "--plan", str(shown), *given])
    finally:
        if not keeps:
            shown.unlink()


def _put_out() -> None:
    for path in outputs.write(site.env(), _captured("output", "-json"), infra.INFRA / "outputs"):
        infra.say(f"wrote {path}")


def _attach() -> int:
    """The steps after `terraform apply`, with the names that it has put out just now."""
    os.environ.update(site.names())
    if not os.environ.get("CLUSTER_ID"):
        raise UserError(f"nothing is known of a deployed {site.env()}: make outputs-infra ENV={site.env()}")
    return _script("infra/attach.sh")


def _script(path: str, *given: str) -> int:
    missing = {name: "" for name in site.ATTACHED if name not in os.environ}
    environ = {**os.environ, **missing, "PYTHON": sys.executable}
    return subprocess.run([path, *given], env=environ, check=False).returncode
