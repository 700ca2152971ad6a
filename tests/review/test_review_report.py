"""What the report says, and does not say, beyond the golden files."""

import json
from pathlib import Path

import pytest
from fixture_repo import Repo

from review.__main__ import main
from review.bump import bump

TRAIN, PIPELINE = "ml/components/train.yml", "ml/pipelines/train.yml"
CALM = "Cost, access, data contract and gate stay as they are."


@pytest.fixture
def report(repo: Repo, capsys: pytest.CaptureFixture[str]) -> "Report":
    return Report(repo, capsys)


class Report:
    """The report of a repository's work against main."""

    def __init__(self, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
        self.repo, self._capsys = repo, capsys

    def text(self, *flags: str) -> str:
        assert main(["report", "--root", str(self.repo.root), "--base", "main", *flags]) == 0
        return self._capsys.readouterr().out

    def json(self) -> dict[str, object]:
        content: dict[str, object] = json.loads(self.text("-o", "json"))
        return content

    def section(self, title: str) -> list[str]:
        """Lines of one section; empty where there is none."""
        _, _, rest = self.text().partition(f"\n## {title}\n\n")
        return rest.partition("\n\n")[0].splitlines() if rest else []

    def error(self, *flags: str) -> str:
        assert main(["report", "--root", str(self.repo.root), "--base", "main", *flags]) == 2
        return self._capsys.readouterr().err


def test_a_new_schedule_and_a_new_cluster_cost(report: Report) -> None:
    text = (report.repo.root / "ml/pipelines/train.schedule.yml").read_text()
    report.repo.write("ml/pipelines/hourly.schedule.yml", text.replace("train-weekly", "train-hourly"))
    report.repo.write(
        "ml/deploy/gpu.yml",
        "$schema: https://x/amlCompute.schema.json\nname: gpu\ntype: amlcompute\nsize: NC24\nmax_instances: 8\n",
    )
    cost = report.section("Cost")
    assert cost[0] == "- compute gpu, new: size: NC24; max_instances: 8"
    assert cost[1].startswith("- schedule train-hourly, new: trigger.type: cron; trigger.expression: 0 6 * * mon")
    assert "Touches cost." in report.text()


def test_a_new_endpoint_is_a_new_door_and_a_removed_one_a_closed_one(report: Report) -> None:
    text = (report.repo.root / "ml/deploy/endpoint.yml").read_text()
    report.repo.write("ml/deploy/second.yml", text.replace("demand-forecast", "second"))
    assert report.section("Access") == ["- endpoint second, new: auth_mode: key"]
    (report.repo.root / "ml/deploy/second.yml").unlink()
    (report.repo.root / "ml/deploy/endpoint.yml").unlink()
    assert report.section("Access") == ["- endpoint demand-forecast, removed: auth_mode: key"]


def test_a_time_limit_that_goes_or_comes_costs(report: Report) -> None:
    report.repo.edit(PIPELINE, "    limits:\n      timeout: 3600\n", "")
    assert report.section("Cost") == ["- pipeline train: jobs.train.limits: removed {timeout: 3600}"]
    report.repo.edit(PIPELINE, "settings:\n  default_compute: azureml:cpu-cluster\n", "")
    assert report.section("Cost")[-1] == "- pipeline train: settings: removed {default_compute: azureml:cpu-cluster}"


def test_a_moved_spec_runs_nothing_again(report: Report) -> None:
    report.repo.git("mv", TRAIN, "ml/components/forest.yml")
    report.repo.edit(PIPELINE, "../components/train.yml", "../components/forest.yml")
    text = report.text()
    assert "## Runs again" not in text
    assert "component train_forest" in text
    assert "moved from `ml/components/train.yml`" in text


def test_an_image_of_the_endpoint_reaches_the_endpoint(report: Report) -> None:
    report.repo.edit("ml/environments/scoring.conda.yml", "3.11", "3.12")
    bump(report.repo.root, "main")
    assert "  - used by: deployment blue, endpoint demand-forecast\n" in report.text()


def test_only_comments_and_order_show_nothing_at_all(report: Report) -> None:
    for path in sorted((report.repo.root / "ml").rglob("*.yml")):
        path.write_text("# A comment.\n" + path.read_text().replace("\ndescription:", "\n\n# Why.\ndescription:"))
    # Contract and query travel as files: their bytes are what a step reads.
    report.repo.git("checkout", "--quiet", "ml/data")
    assert report.text() == f"# What merging into main does\n\nAssets: none changes. {CALM}\n"


def test_line_ends_of_specs_show_nothing(report: Report) -> None:
    for folder in ("components", "pipelines", "deploy"):
        for path in (report.repo.root / "ml" / folder).glob("*.yml"):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert CALM in report.text()
    assert "- **" not in report.text()


def test_json_says_what_the_markdown_says(report: Report) -> None:
    report.repo.edit(PIPELINE, "timeout: 3600", "timeout: 36000")
    content = report.json()
    assert content["cost"] == ["pipeline train: jobs.train.limits.timeout: 3600 → 36000"]
    assert content["base"] == "main"
    assert report.text("-o", "json") == report.text("--output", "json")


class TestTerraform:
    """Access and machines of the platform stand in Terraform."""

    STORAGE = "infra/main.storage.tf"
    TFVARS = "infra/environments/dev.tfvars"

    @pytest.fixture
    def infra(self, report: Report) -> Report:
        repo = report.repo
        repo.write(
            self.STORAGE,
            'resource "azurerm_storage_account" "this" {\n  name = "st"\n'
            "  public_network_access_enabled = false # private\n\n  network_rules {\n    ip_rules = [\n"
            '      "203.0.113.0/24",\n    ]\n  }\n}\n',
        )
        repo.write(
            self.TFVARS,
            'aks_user = { vm_size = "Standard_D4s_v5", min = 1, max = 2 }\ntraining_max_nodes = 2\ncompany = "gbj"\n',
        )
        repo.commit("infra")
        repo.git("checkout", "--quiet", "-B", "main")
        repo.git("checkout", "--quiet", "-B", "work")
        return report

    def test_a_change_to_public_access_is_in_the_access_section(self, infra: Report) -> None:
        infra.repo.edit(self.STORAGE, "enabled = false", "enabled = true")
        infra.repo.edit(self.STORAGE, '      "203.0.113.0/24",\n', '      "203.0.113.0/24",\n      "0.0.0.0/0",\n')
        assert infra.section("Access") == [
            f"- {self.STORAGE}: azurerm_storage_account.this.public_network_access_enabled: false → true",
            f"- {self.STORAGE}: azurerm_storage_account.this.network_rules.ip_rules: "
            '[ "203.0.113.0/24", ] → [ "203.0.113.0/24", "0.0.0.0/0", ]',
        ]
        assert "Touches access, Terraform." in infra.text()

    def test_machines_and_their_number_cost(self, infra: Report) -> None:
        infra.repo.edit(self.TFVARS, "Standard_D4s_v5", "Standard_D16s_v5")
        infra.repo.edit(self.TFVARS, "nodes = 2", "nodes = 20")
        assert [line.split(": ")[1] for line in infra.section("Cost")] == ["aks_user", "training_max_nodes"]
        assert infra.section("Access") == []

    def test_a_renamed_resource_is_neither_cost_nor_access_but_touches_terraform(self, infra: Report) -> None:
        infra.repo.edit(self.TFVARS, '"gbj"', '"globo"')
        assert "Touches Terraform." in infra.text()
        assert infra.section("Terraform") == [f"- {self.TFVARS}: changed (+1 -1)"]

    def test_a_comment_in_terraform_touches_neither_cost_nor_access(self, infra: Report) -> None:
        infra.repo.edit(self.STORAGE, "# private", "# public_network_access_enabled = true, one day")
        assert infra.section("Access") == []

    def test_new_and_removed_files_are_listed_with_their_lines(self, infra: Report) -> None:
        infra.repo.write("infra/main.more.tf", 'resource "azurerm_x" "y" {\n  public = true\n}\n')
        (infra.repo.root / self.STORAGE).unlink()
        assert infra.section("Access")[0] == "- infra/main.more.tf: azurerm_x.y.public: added true"
        assert f"- {self.STORAGE}: azurerm_storage_account.this.public_network_access_enabled: removed false" in (
            infra.section("Access")
        )


class TestWhatIsHandedIn:
    """VERDICT and PLAN are files of a user: wrong ones end with one line."""

    @pytest.mark.parametrize(
        "text",
        ["[]", "{}", "null", '{"promoted": true, "selected": "a", "candidates": null}', '{"promoted": 1'],
    )
    def test_a_file_that_is_not_a_verdict_is_an_error_of_one_line(
        self, report: Report, tmp_path: Path, text: str
    ) -> None:
        (tmp_path / "v.json").write_text(text)
        error = report.error("--verdict", str(tmp_path / "v.json"))
        assert error.startswith("error: ")
        assert error.count("\n") == 1

    def test_a_refused_first_run_has_neither_champion_nor_model(self, report: Report, tmp_path: Path) -> None:
        verdict = {
            "promoted": False,
            "reasons": None,
            "selected": "a",
            "champion": None,
            "model": None,
            "candidates": {"a": {"one_step": {"wape": float("nan")}}},
            "baselines": None,
        }
        (tmp_path / "v.json").write_text(json.dumps(verdict))
        assert "The run's gate refused" in report.text("--verdict", str(tmp_path / "v.json"))

    def test_a_binary_plan_is_an_error_that_says_how_to_make_json(self, report: Report, tmp_path: Path) -> None:
        (tmp_path / "dev.tfplan").write_bytes(b"PK\x03\x04\xff\xfe\x00")
        error = report.error("--plan", str(tmp_path / "dev.tfplan"))
        assert "terraform show -json" in error
        assert error.count("\n") == 1

    def test_a_verdict_or_plan_that_does_not_exist_is_an_error_of_one_line(
        self, report: Report, tmp_path: Path
    ) -> None:
        for flag in ("--plan", "--verdict"):
            assert "No such file" in report.error(flag, str(tmp_path / "nothing"))


def test_a_larger_instance_type_costs_and_reaches_the_endpoint(report: Report) -> None:
    report.repo.edit("ml/deploy/instance_types.yml", 'cpu: "1"', 'cpu: "4"')
    assert report.section("Cost") == ["- instance type small: spec.resources.limits.cpu: 1 → 4"]
    assert "  - used by: deployment blue, endpoint demand-forecast\n" in report.text()


def test_a_softer_threshold_of_the_gate_is_shown_with_both_values(report: Report) -> None:
    report.repo.edit("ml/gate.yml", "# Odds.\nalpha: 0.1\nmin_months: 6\n", "# Softer.\nalpha: 0.2\n")
    assert report.section("Gate") == [
        "- ml/gate.yml: alpha: 0.1 → 0.2",
        "- ml/gate.yml: min_months: removed 6",
        "- ml/gate.yml: changed (+2 -3)",
    ]


def test_softer_limits_of_the_monitor_and_of_a_rollout_are_shown_with_both_values(report: Report) -> None:
    report.repo.edit("ml/monitor.yml", "0.2", "0.4")
    report.repo.edit("ml/deploy/rollout.yml", "0.01", "0.05")
    shown = report.section("Gate")
    assert "- ml/monitor.yml: max_bias: 0.2 → 0.4" in shown
    assert "- ml/deploy/rollout.yml: limits.error_rate: 0.01 → 0.05" in shown


def test_a_gate_file_that_is_not_yaml_does_not_break_the_report(report: Report) -> None:
    report.repo.edit("ml/gate.yml", "alpha: 0.1", "alpha: [")
    assert "- ml/gate.yml: alpha: removed 0.1" in report.section("Gate")
