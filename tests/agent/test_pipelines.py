"""The repo's own pipelines: what they name exists, prod is behind a person, each runs with a stand-in for make."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from agent_kit import OWN, ROOT, OwnRepo, own_stages

from agent import model, project, tasks
from agent.registered import uses
from frontdoor import app

FOLDER = ROOT / ".azuredevops"
FILES = sorted(FOLDER.rglob("*.yml"))
OFFLINE = ROOT.parent / "shared/tools/az-offline"
needs_tools = pytest.mark.skipif(
    not OFFLINE.exists(), reason=f"NOT RUN: Microsoft's own schema, {OFFLINE} is not there"
)
PROD = {"rollback": {"azure": "prod"}, "teardown": {"azure": "prod"}}
DEV = {"rollback": {"azure": "dev"}, "teardown": {"azure": "dev"}}
VARIANTS = [
    *((name, {}) for name in OWN if name not in PROD),
    *PROD.items(),
    *DEV.items(),
]


def names(value: object) -> str:
    return value if isinstance(value, str) else "-".join(getattr(value, "values", lambda: [])())


variants = pytest.mark.parametrize(("name", "given"), VARIANTS, ids=names)


@needs_tools
def test_microsofts_schema_takes_every_file() -> None:
    done = subprocess.run(
        [OFFLINE / "check-pipelines", "--root", ROOT, FOLDER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@needs_tools
def test_every_call_of_az_is_one_that_the_reference_knows() -> None:
    done = subprocess.run([OFFLINE / "check-az", FOLDER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@variants
def test_every_task_connection_environment_and_group_is_known(name: str, given: dict[str, str]) -> None:
    known = project.read(ROOT)
    for _, job, step in model.every_step(own_stages(name, **given)):
        if step.kind == "task":
            tasks.check(step.subject, step.inputs, step.where)
        if connection := step.inputs.get("azureSubscription"):
            assert connection in known.connections, step.where
        if job.environment:
            assert job.environment in known.environments, job.where
    connections, environments, groups = uses(ROOT, name)
    assert connections <= set(known.connections)
    assert environments <= set(known.environments)
    assert groups <= set(known.groups)


def test_nothing_of_the_project_is_unused() -> None:
    known = project.read(ROOT)
    used = [uses(ROOT, name) for name in OWN]
    assert set.union(*(each[0] for each in used)) == set(known.connections)
    assert set.union(*(each[1] for each in used)) == set(known.environments)
    assert set.union(*(each[2] for each in used)) == set(known.groups)
    assert sorted(known.document.get("pipelines")) == sorted(OWN)


def reaches_prod(stage: model.Stage) -> bool:
    """Whether a stage signs in to prod, uses an environment of it, or reads its ids."""
    used = [step.inputs.get("azureSubscription", "") for job in stage.jobs for step in job.steps]
    used += stage.environments
    used += [each.get("group", "") for each in (*stage.variables, *(v for job in stage.jobs for v in job.variables))]
    return any("-prod" in each for each in used)


def asks(stage: model.Stage, known: project.Project) -> bool:
    return any(known.asks(each) for each in stage.environments)


@variants
def test_prod_is_reached_after_a_persons_word_and_from_main_alone(name: str, given: dict[str, str]) -> None:
    known, stages = project.read(ROOT), own_stages(name, **given)
    by_name = {stage.name: stage for stage in stages}
    for stage in filter(reaches_prod, stages):
        before = [by_name[each] for each in model.ancestors(stage.name, stages)]
        assert any(asks(each, known) for each in (stage, *before)), f"{stage.where}: no approval before {stage.name}"
        assert "eq(variables['Build.SourceBranch'], 'refs/heads/main')" in (stage.condition or ""), stage.where
        changes = any(step.inputs.get("azureSubscription", "").endswith(("-apply", "-models"))
                      for job in stage.jobs for step in job.steps)  # fmt: skip
        if changes:
            assert stage.environments, f"{stage.where}: it changes prod without an environment of its own"
            assert all(known.environments[each].get("lock") for each in stage.environments)
            assert stage.lock == "sequential", f"{stage.where}: runLatest would cancel what waits"


def test_the_graph_test_sees_a_stage_without_approval() -> None:
    """The rule above is one that can fail: a stage in prod that waits for nobody."""
    stage = next(each for each in own_stages("deploy") if each.name == "prod")
    assert reaches_prod(stage)
    assert not asks(model.Stage(**{**vars(stage), "jobs": []}), project.read(ROOT))


@variants
def test_every_make_target_and_variable_exists(name: str, given: dict[str, str]) -> None:
    app.load()
    verbs = app.commands()
    from frontdoor import given as words  # noqa: PLC0415

    for _, _, step in model.every_step(own_stages(name, **given)):
        text = step.subject if step.kind in ("bash", "script") else step.inputs.get("inlineScript", "")
        for verb, rest in re.findall(r"\bmake ([a-z][\w-]*)([^\n|;&>]*)", text):
            assert verb in verbs, f"{step.where}: make {verb}"
            for variable in re.findall(r"\b([A-Z][A-Z_]+)=", rest):
                is_known = variable in words.of(verbs[verb]) or words.is_of_machine(variable)
                assert is_known, f"{step.where}: make {verb} {variable}="


def test_steps_call_make_and_what_a_shell_needs_around_it() -> None:
    """Pipelines hold no logic of their own: CI and a laptop run the same verbs."""
    allowed = {"set", "make", "mkdir", "cp", "echo", "if", "job", "state", "promoted", "plan", "touch", "exit"}
    for name, given in VARIANTS:
        for _, _, step in model.every_step(own_stages(name, **given)):
            text = step.subject if step.kind in ("bash", "script") else step.inputs.get("inlineScript", "")
            for line in filter(None, map(str.strip, text.splitlines())):
                assert re.split(r"[\s=]", line)[0] in allowed, f"{step.where}: {line}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_opens_with_a_paragraph_and_holds_no_secret_id_or_region(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), "no paragraph that says when it fires, what it needs, what it changes"
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", text, re.IGNORECASE)
    regions = yaml.safe_load((ROOT / "tests/agent/regions.yml").read_text(encoding="utf-8"))
    assert not [each for each in regions if re.search(rf"\b{each}\b", text)]
    assert not re.search(r"(password|secret|token|pat)\s*[:=]\s*['\"]?[\w-]{8,}", text, re.IGNORECASE)


@pytest.mark.parametrize("name", OWN)
def test_the_first_paragraph_says_when_what_it_needs_and_what_it_changes(name: str) -> None:
    opening = re.match(r"(?:# .*\n)+", (FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    assert opening
    text = opening[0].replace("\n# ", " ")
    assert re.search(r"\bNeeds\b", text)
    assert re.search(r"\b(Changes|changes|Destroys)\b", text)


def test_no_job_installs_the_sdk_into_azs_own_python() -> None:
    for name, given in VARIANTS:
        for _, _, step in model.every_step(own_stages(name, **given)):
            assert "pip install" not in step.inputs.get("inlineScript", "") + step.subject


def test_versions_are_pinned_in_one_file_alone() -> None:
    pins = project.read_document(FOLDER / "variables.yml").table("variables")
    for path in FILES:
        if path.name != "variables.yml":
            for pin in ("terraformVersion", "mlVersion", "agentImage", "azOldest"):
                assert str(pins[pin]) not in path.read_text(encoding="utf-8"), f"{path.name} repeats {pin}"


def test_what_the_pipelines_pin_is_what_the_recipes_support() -> None:
    from infra.doctor import AZ_OLDEST, TERRAFORM_OLDEST, version_of  # noqa: PLC0415
    from pipeline.extension import RECOMMENDED  # noqa: PLC0415

    pins = project.read_document(FOLDER / "variables.yml").table("variables")
    assert pins["mlVersion"] == RECOMMENDED
    assert version_of(str(pins["azOldest"])) == AZ_OLDEST
    assert version_of(str(pins["terraformVersion"])) >= TERRAFORM_OLDEST


# ---- each pipeline, run


@pytest.fixture
def own(tmp_path: Path) -> OwnRepo:
    return OwnRepo.make(tmp_path)


def test_pr_checks_plans_and_reviews(own: OwnRepo) -> None:
    assert own.run("pr") == 0
    called = own.called()
    assert "check BASE=origin/main" in called
    assert [line for line in called if line.startswith("plan-infra")] == ["plan-infra ENV=dev KEEP_JSON=1"]
    review = next(line for line in called if line.startswith("review"))
    assert re.fullmatch(r"review BASE=origin/main FORECASTS=1 PLAN=\S+/plan/plan.json", review)
    assert called[-1].startswith("comment FILE=")


def test_pr_reviews_although_a_check_failed_or_no_plan_could_be_made(own: OwnRepo) -> None:
    assert own.run("pr", MAKE_FAILS="check plan-infra") == 1
    called = own.called()
    assert "review BASE=origin/main FORECASTS=1 PLAN=" in called
    assert called[-1].startswith("comment FILE=")


def test_infra_applies_dev_then_prod_each_with_a_persons_word(own: OwnRepo) -> None:
    assert own.run("infra", "--approve", "dev-infra", "--approve", "prod-infra") == 0
    assert own.called() == [
        "plan-infra ENV=dev", "deploy-infra ENV=dev", "plan-infra ENV=prod", "deploy-infra ENV=prod",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "more", "called"),
    [
        ([], {}, ["plan-infra ENV=dev"]),  # nobody approves dev
        (["--approve", "dev-infra", "--reject", "prod-infra"], {},
         ["plan-infra ENV=dev", "deploy-infra ENV=dev", "plan-infra ENV=prod"]),
        (["--approve", "dev-infra", "--approve", "prod-infra"], {"MAKE_FAILS": "deploy-infra"},
         ["plan-infra ENV=dev", "deploy-infra ENV=dev"]),
    ],
    ids=["denied in dev", "denied in prod", "apply of dev fails"],
)  # fmt: skip
def test_infra_stops_where_it_is_not_approved_or_fails(
    words: list[str], more: dict[str, str], called: list[str], own: OwnRepo
) -> None:
    assert own.run("infra", *words, **more) == 1
    assert own.called() == called


def test_infra_of_another_branch_only_plans_dev(own: OwnRepo) -> None:
    assert own.run("infra", "--approve", "dev-infra", "--branch", "feature") == 0
    assert own.called() == ["plan-infra ENV=dev"]


def test_train_imports_trains_follows_and_keeps_the_verdict(own: OwnRepo) -> None:
    assert own.run("train") == 0
    called = own.called()
    assert called[:3] == ["outputs-infra ENV=dev", "register-assets ENV=dev", "import-data ENV=dev NO_WAIT=1"]
    assert "watch ENV=dev JOB=job-of-import-data MINUTES=45" in called
    assert "watch ENV=dev JOB=job-of-run-pipeline MINUTES=45" in called
    assert [line for line in called if line.startswith("watch")] == [
        "watch ENV=dev JOB=job-of-import-data MINUTES=45", "watch ENV=dev JOB=job-of-run-pipeline MINUTES=45",
    ]  # fmt: skip
    report = sorted((own.home / "ci/runs").iterdir())[-1] / "artifacts/report"
    assert (report / "file").is_file()
    assert "##vso[build.addbuildtag]promoted" in logs(own)


def test_train_with_a_refused_gate_is_a_good_run_without_a_tag(own: OwnRepo) -> None:
    assert own.run("train", MAKE_PROMOTED="false") == 0
    assert "##vso[build.addbuildtag]promoted" not in logs(own)


def test_train_cancels_a_job_whose_time_is_over(own: OwnRepo) -> None:
    assert own.run("train", MAKE_STATE="running") == 1
    called = own.called()
    assert called.count("watch ENV=dev JOB=job-of-import-data MINUTES=45") == 6
    assert called[-1] == "cancel ENV=dev JOB=job-of-import-data"


@pytest.mark.parametrize("verb", ["register-assets", "import-data", "run-pipeline", "watch", "verdict"])
def test_train_ends_where_a_step_fails(verb: str, own: OwnRepo) -> None:
    assert own.run("train", MAKE_FAILS=verb) == 1
    assert own.called()[-1].split()[0] == verb


def test_train_of_another_branch_does_nothing(own: OwnRepo) -> None:
    assert own.run("train", "--branch", "feature") == 0
    assert own.called() == []


def test_deploy_goes_to_dev_and_after_a_persons_word_to_prod(own: OwnRepo) -> None:
    assert own.run("deploy", "--approve", "prod") == 0
    called = [re.sub(r"=/\S*/", "=.../", line) for line in own.called()]
    assert called == [
        "outputs-infra ENV=dev", "deploy ENV=dev", "predict ENV=dev", "export-model ENV=dev FOLDER=.../model",
        "outputs-infra ENV=prod", "environments ENV=prod", "promote FROM=.../model TO=prod", "deploy ENV=prod",
        "predict ENV=prod", "release-notes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ({"MAKE_FAILS": "deploy"}, "deploy ENV=dev"),  # a rollout that fails has taken itself back
        ({"MAKE_FAILS": "predict"}, "rollback ENV=dev"),  # what failed after it is taken back here
    ],
    ids=["rollout", "smoke test"],
)
def test_deploy_stops_in_dev_and_takes_back_what_went_live(more: dict[str, str], last: str, own: OwnRepo) -> None:
    assert own.run("deploy", "--approve", "prod", **more) == 1
    called = own.called()
    assert not [line for line in called if "prod" in line]
    assert called[-1] == last


def test_an_export_that_fails_says_nothing_against_the_version_that_serves(own: OwnRepo) -> None:
    assert own.run("deploy", "--approve", "prod", MAKE_FAILS="export-model") == 1
    called = own.called()
    assert called[-1].startswith("export-model ENV=dev")
    assert not [line for line in called if "rollback" in line or "prod" in line]


def test_deploy_without_approval_leaves_prod_alone(own: OwnRepo) -> None:
    assert own.run("deploy", "--reject", "prod") == 1
    assert not [line for line in own.called() if "prod" in line]


def test_deploy_in_prod_does_not_roll_out_what_was_not_promoted(own: OwnRepo) -> None:
    assert own.run("deploy", "--approve", "prod", MAKE_FAILS="promote") == 1
    assert own.called()[-1].startswith("promote FROM=")


@pytest.mark.parametrize("name", ["rollback", "teardown"])
@pytest.mark.parametrize("azure", ["dev", "prod"])
def test_rollback_and_teardown_ask_where_prod_is_meant(name: str, azure: str, own: OwnRepo) -> None:
    needs = azure == "prod" or name == "teardown"
    more = ["--parameter", f"confirm={azure}"] if name == "teardown" else []
    assert own.run(name, "--parameter", f"azure={azure}", *more) == (1 if needs else 0)
    verb = {"rollback": f"rollback ENV={azure}", "teardown": f"destroy-infra ENV={azure} CONFIRM={azure}"}[name]
    assert (verb in own.called()) == (not needs)
    suffix = "-infra" if name == "teardown" else ""
    assert own.run(name, "--parameter", f"azure={azure}", *more, "--approve", f"{azure}{suffix}") == 0
    assert own.called()[-1] == verb


def test_canary_runs_every_leg_although_one_fails(own: OwnRepo) -> None:
    assert own.run("canary") == 0
    assert [line for line in own.called() if line.startswith("canary")] == [
        "canary NEWEST=cli", "canary NEWEST=sdk", "canary NEWEST=providers",
    ]  # fmt: skip
    assert own.run("canary", MAKE_FAILS="audit") == 1
    assert [line for line in own.called() if line.startswith("sbom")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "waits", "then"),
    [
        ("train", [], "watch", "cancel ENV=dev JOB=job-of-import-data"),
        ("deploy", [], "deploy", None),
        ("pr", [], "test", None),
        ("infra", ["--approve", "dev-infra"], "deploy-infra", None),
        ("rollback", ["--parameter", "azure=dev"], "rollback", None),
        ("teardown", ["--parameter", "azure=dev", "--approve", "dev-infra"], "destroy-infra", None),
        ("canary", [], "canary", None),
    ],
)
def test_a_canceled_run_ends_what_runs_and_cancels_its_job(
    name: str, words: list[str], waits: str, then: str | None, own: OwnRepo
) -> None:
    command = [sys.executable, "-m", "agent", name, *words, "--root", str(own.root)]
    environment = {"HOME": str(own.home), **own.environment(MAKE_WAITS=waits)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while not own.log.with_name(f"{own.log.name}.waits").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    after = own.called()[own.called().index(next(line for line in own.called() if line.startswith(waits))) + 1 :]
    assert after == ([then] if then else [])


def logs(own: OwnRepo) -> str:
    folder = sorted((own.home / "ci/runs").iterdir())[-1] / "logs"
    return "\n".join(path.read_text() for path in folder.glob("*.log"))


def test_shell_in_the_scripts_is_what_bash_takes() -> None:
    bash = shutil.which("bash")
    assert bash
    for name, given in VARIANTS:
        for _, _, step in model.every_step(own_stages(name, **given)):
            text = step.subject if step.kind in ("bash", "script") else step.inputs.get("inlineScript", "")
            plain = re.sub(r"\$\([\w.]+\)", "value", text)
            done = subprocess.run([bash, "-n"], input=plain, text=True, capture_output=True, check=False)
            assert done.returncode == 0, f"{step.where}: {done.stderr}"
