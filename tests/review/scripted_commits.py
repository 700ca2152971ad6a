"""Eleven commits that a reviewer of this repo may meet. Each is made on its own on top of main."""

import json
from collections.abc import Callable

from fixture_repo import Repo

from review.bump import bump

TRAIN, PREPARE = "ml/components/train.yml", "ml/components/prepare.yml"
PIPELINE, SCHEDULE = "ml/pipelines/train.yml", "ml/pipelines/train.schedule.yml"


def only_formatting(repo: Repo) -> None:
    """Quotes, comments, key order and line breaks: nothing that Azure ML would see."""
    repo.edit(TRAIN, "description: Fits a forest.\ntype: command\n", 'type: command\ndescription: "Fits a forest."\n')
    repo.edit(TRAIN, "  --train ${{inputs.train}}\n  --fraction", "  --train ${{inputs.train}} --fraction")
    repo.edit(PIPELINE, "  months: 6\n", "  # Half a year.\n  months: 6\n")


def default_without_a_version(repo: Repo) -> None:
    """The commonest slip: other content under the same version."""
    repo.edit(TRAIN, "default: 0.5", "default: 0.7")


def default_with_its_version(repo: Repo) -> None:
    """The same, done right, with a job's own value beside it."""
    repo.edit(TRAIN, "default: 0.5", "default: 0.7")
    repo.edit(PIPELINE, "  months: 6\n", "  months: 12\n")
    bump(repo.root, "main")


def code_of_one_step(repo: Repo) -> None:
    """One script changes, and with it the snapshot that three components carry."""
    repo.edit("src/demand/train.py", "return parser", "parser.set_defaults(fraction=0.5)\n    return parser")
    bump(repo.root, "main")


def other_packages(repo: Repo) -> None:
    """The image changes: its version, and all that pin it."""
    repo.write("ml/environments/demand/requirements.txt", "# hashed pins\nduckdb==2.0.1\nmlflow==3.15.0\n")
    bump(repo.root, "main")


def more_machine_and_time(repo: Repo) -> None:
    """What costs money: schedule, time limit, instances."""
    repo.edit(SCHEDULE, '"0 6 * * mon"', '"0 6 * * *"')
    repo.edit(PIPELINE, "timeout: 3600", "timeout: 36000")
    repo.edit("ml/deploy/blue.yml", "instance_count: 1", "instance_count: 4")


def wider_access(repo: Repo) -> None:
    """How callers sign in, and as whom a job runs."""
    repo.edit("ml/deploy/endpoint.yml", "auth_mode: key", "auth_mode: aml_token")
    repo.edit(PIPELINE, "    limits:\n", "    identity:\n      type: user_identity\n    limits:\n")


def another_contract(repo: Repo) -> None:
    """What a row must be, how many may be bad, and which rows are asked for."""
    repo.edit("ml/data/sales.contract.yml", "max_bad_fraction: 0.01", "max_bad_fraction: 0.05")
    repo.edit(
        "ml/data/sales.contract.yml", "    minimum: 0\n", "  - name: Quantity\n    type: number\n    required: true\n"
    )
    repo.edit("ml/data/sales.import.yml", "select SaleID from SALES", "select SaleID, Quantity from SALES")


def names_that_go(repo: Repo) -> None:
    """A component removed while a pipeline runs it, another renamed, a version taken back."""
    repo.git("rm", "--quiet", TRAIN)
    repo.edit("ml/components/register.yml", "name: register_model", "name: register_forest")
    repo.edit("ml/environments/scoring.yml", 'version: "2"', 'version: "1"')


def gate_and_infrastructure(repo: Repo) -> None:
    """A softer gate and Terraform, and a version raised for nothing."""
    repo.edit("src/demand/gate.py", "MAX_WAPE = 0.2", "MAX_WAPE = 0.35")
    repo.edit("infra/main.storage.tf", '"st"', '"stprod"')
    repo.edit("ml/environments/demand.yml", 'version: "1"', 'version: "2"')
    for component in ("prepare", "train", "register"):
        repo.edit(f"ml/components/{component}.yml", "azureml:demand:1", "azureml:demand:2")
    bump(repo.root, "main")


def a_whole_package(repo: Repo) -> None:
    """Every script of a package and its lock: the components that carry it say so in one line each."""
    for name in ("gate", "prepare", "register", "train"):
        path = repo.root / f"src/demand/{name}.py"
        path.write_text(path.read_text() + "\nWIDE = True\n")
    repo.write("src/demand/more.py", "MORE = 1\n")
    repo.write("ml/environments/demand/requirements.txt", "# hashed pins\nduckdb==2.0.1\n")
    bump(repo.root, "main")


COMMITS: dict[str, Callable[[Repo], None]] = {
    f"{number:02}-{function.__name__}": function
    for number, function in enumerate(
        (
            only_formatting,
            default_without_a_version,
            default_with_its_version,
            code_of_one_step,
            other_packages,
            more_machine_and_time,
            wider_access,
            another_contract,
            names_that_go,
            gate_and_infrastructure,
            a_whole_package,
        ),
        start=1,
    )
}

FIGURES = {"wape": 0.1234, "mae": 210.5, "rmse": 340.25, "r2": 0.9}
VERDICT = {
    "promoted": True,
    "reasons": ["history beats champion: WAPE 0.1234 against 0.1410"],
    "selected": "history",
    "model": {"name": "forecast", "version": "7"},
    "candidates": {"history": {"one_step": FIGURES, "multi_step": FIGURES, "coverage_p10_p90": 0.8}},
    "baselines": {"seasonal_naive": {"one_step": {**FIGURES, "wape": 0.19, "r2": None}}},
    "champion": {"one_step": {**FIGURES, "wape": 0.141}},
}
PLAN = {
    "planned_values": {},
    "resource_changes": [
        {
            "address": "azurerm_storage_account.this",
            "type": "azurerm_storage_account",
            "mode": "managed",
            "change": {"actions": ["delete", "create"], "replace_paths": [["name"]]},
        },
        {
            "address": "azurerm_subnet.new",
            "type": "azurerm_subnet",
            "mode": "managed",
            "change": {"actions": ["create"]},
        },
    ],
}


def hand_in(repo: Repo) -> list[str]:
    """Flags for the report of commit 10: a verdict and a plan, kept outside the repository."""
    verdict, plan = repo.root.parent / "verdict.json", repo.root.parent / "plan.json"
    verdict.write_text(json.dumps(VERDICT))
    plan.write_text(json.dumps(PLAN))
    return ["--verdict", str(verdict), "--plan", str(plan)]
