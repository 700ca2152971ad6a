"""What of an asset is content: the spec as Azure ML resolves it, and the files that travel with it."""

import pytest
from fixture_repo import Repo

from review.bump import bump
from review.change import open_change
from review.guard import guard

TRAIN, PIPELINE = "ml/components/train.yml", "ml/pipelines/train.yml"
INLINE = (
    "environment:\n  image: mcr.microsoft.com/azureml/x:20260901.v1\n  conda_file: ../environments/scoring.conda.yml\n"
)


def said(repo: Repo, base: str = "main") -> list[str]:
    with open_change(repo.root, base) as change:
        return [str(verdict.finding) for verdict in guard(change)]


def start(repo: Repo) -> None:
    """What is there becomes main."""
    repo.commit("start")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.git("checkout", "--quiet", "-B", "work")


def component(name: str, *jobs: str) -> str:
    """A pipeline component that runs others."""
    nodes = "".join(f"  job_{i}:\n    type: pipeline\n    component: {job}\n" for i, job in enumerate(jobs))
    return (
        f"$schema: https://x/pipelineComponent.schema.json\nname: {name}\nversion: '1'\ntype: pipeline\njobs:\n{nodes}"
    )


def test_the_conda_file_of_an_environment_inside_a_component_is_its_content(repo: Repo) -> None:
    repo.edit(TRAIN, "environment: azureml:demand:1\n", INLINE)
    start(repo)
    repo.edit("ml/environments/scoring.conda.yml", "3.11", "3.12")
    assert [line.split(" changed ")[0] for line in said(repo)] == [
        f"{TRAIN}:3: component train_forest",
        "ml/environments/scoring.yml:3: environment scoring",
    ]


def test_the_build_folder_of_an_environment_inside_a_component_is_its_content(repo: Repo) -> None:
    repo.edit(TRAIN, "environment: azureml:demand:1\n", "environment:\n  build:\n    path: ../environments/demand\n")
    start(repo)
    repo.edit("ml/environments/demand/Dockerfile", "20260901.v1", "20261001.v1")
    assert any(line.startswith(f"{TRAIN}:3: component train_forest changed") for line in said(repo))


def test_comments_and_key_order_of_a_conda_file_do_not_count_as_content(repo: Repo) -> None:
    file = repo.root / "ml/environments/scoring.conda.yml"
    file.write_text("# why\n" + file.read_text().replace("\n", "\n\n"))
    assert said(repo) == []
    repo.edit("ml/environments/scoring.conda.yml", "3.11", "3.12")
    assert len(said(repo)) == 1


def test_a_conda_file_that_is_not_yaml_counts_by_its_bytes(repo: Repo) -> None:
    repo.write("ml/environments/scoring.conda.yml", "name: [\n")
    assert len(said(repo)) == 1


def test_keys_of_several_types_are_compared_and_do_not_end_the_check(repo: Repo) -> None:
    repo.edit(TRAIN, "type: command\n", "type: command\ntags: {2: a, on: b, team: c, 2026-01-01: d}\n")
    start(repo)
    assert said(repo) == []
    repo.edit(TRAIN, "{2: a", "{2: z")
    assert len(said(repo)) == 1


def test_pipeline_components_that_run_each_other_do_not_end_the_check(repo: Repo) -> None:
    repo.write("ml/components/a.yml", component("a", "./b.yml"))
    repo.write("ml/components/b.yml", component("b", "./a.yml", "./train.yml"))
    start(repo)
    assert said(repo) == []
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    paths = [line.split(":")[0] for line in said(repo)]
    assert paths == ["ml/components/a.yml", "ml/components/b.yml", TRAIN]
    assert paths == [line.split(":")[0] for line in said(repo)]


def test_a_component_that_becomes_a_pipeline_needs_a_version(repo: Repo) -> None:
    """Components of every type share their names on Azure ML."""
    repo.write(TRAIN, component("train_forest", "./prepare.yml"))
    (line,) = said(repo)
    assert line.startswith(f"{TRAIN}:3: component train_forest changed")
    bump(repo.root, "main")
    assert said(repo) == []


def test_files_in_additional_includes_are_content_and_files_beside_them_are_not(repo: Repo) -> None:
    repo.edit(TRAIN, "code: ../../src\n", "additional_includes:\n  - ../../src/demand\n")
    repo.write("src/other/unused.py", "")
    repo.write("src/demand/part/.amlignore", "*.md\n")
    repo.write("src/demand/part/notes.md", "")
    start(repo)
    repo.write("src/other/unused.py", "x = 1\n")
    repo.write("src/demand/part/notes.md", "more\n")
    assert not [line for line in said(repo) if line.startswith(TRAIN)]
    repo.write("src/demand/part/more.py", "")
    (line,) = [line for line in said(repo) if line.startswith(TRAIN)]
    assert "component train_forest changed (src/demand/part/more.py)" in line


def test_a_spec_that_is_not_yaml_any_more_is_reported_as_unreadable_and_not_as_removed(repo: Repo) -> None:
    repo.edit(TRAIN, "inputs:", "inputs: [")
    (line,) = said(repo)
    assert line.startswith(f"{TRAIN}:")
    assert "component train_forest cannot be read: not valid YAML" in line
    repo.git("checkout", "--quiet", TRAIN)
    repo.edit(TRAIN, "commandComponent", "comandComponent")
    (line,) = said(repo)
    assert line.startswith(f"{TRAIN}:1: component train_forest cannot be read: unknown $schema")


def test_an_unreadable_spec_on_both_sides_is_left_to_the_spec_check(repo: Repo) -> None:
    repo.write("ml/components/new.yml", "a: [\n")
    assert said(repo) == []


class TestTwoVersionsSideBySide:
    """One file each: train.yml is 1, train_v2.yml is 2."""

    @pytest.fixture
    def both(self, repo: Repo) -> Repo:
        text = (repo.root / TRAIN).read_text()
        second = text.replace('version: "1"', 'version: "2"').replace("default: 0.5", "default: 0.9")
        repo.write("ml/components/train_v2.yml", second)
        repo.edit(PIPELINE, "../components/train.yml", "azureml:train_forest:1")
        start(repo)
        return repo

    def test_a_new_version_beside_the_old_one_is_not_a_finding(self, repo: Repo) -> None:
        text = (repo.root / TRAIN).read_text()
        second = text.replace('version: "1"', 'version: "2"').replace("default: 0.5", "default: 0.9")
        repo.write("ml/components/train_v2.yml", second)
        assert said(repo) == []

    def test_a_version_that_another_file_holds_is_not_offered(self, both: Repo) -> None:
        both.edit(TRAIN, "default: 0.5", "default: 0.6")
        (line,) = said(both)
        assert 'set version: "3"' in line
        bump(both.root, "main")
        assert said(both) == []
        assert "azureml:train_forest:3" in (both.root / PIPELINE).read_text()

    def test_removing_the_version_that_a_pipeline_pins_is_a_finding(self, both: Repo) -> None:
        both.git("rm", "--quiet", TRAIN)
        (line,) = said(both)
        assert line.startswith(f"{PIPELINE}:")
        assert "version 1 of component train_forest was removed and is still used here" in line

    def test_removing_a_version_that_nothing_pins_is_not_a_finding(self, both: Repo) -> None:
        both.git("rm", "--quiet", "ml/components/train_v2.yml")
        assert said(both) == []
