"""A parallel step calls the entry script's init() and run() with lists of files, and counts what fails."""

from pathlib import Path
from typing import Any

import pytest

ENTRY = (
    "import argparse, pathlib, sys\n"
    "def init():\n"
    "    global word\n"
    "    parser = argparse.ArgumentParser()\n"
    "    parser.add_argument('--word')\n"
    "    word = parser.parse_known_args()[0].word\n"
    "def run(mini_batch):\n"
    "    texts = [pathlib.Path(each).read_text() for each in mini_batch]\n"
    "    if 'bad' in texts: raise ValueError('bad text')\n"
    "    return [f'{word} {len(mini_batch)} {text}' for text in texts if text != 'skip']\n"
)


def node(**more: Any) -> dict[str, Any]:
    """A parallel node over the files of data/."""
    task = {
        "type": "run_function",
        "code": "src",
        "entry_script": "entry.py",
        "program_arguments": "--word ${{inputs.word}}",
        "append_row_to": "${{outputs.rows}}",
        "environment": "azureml:env:1",
    }
    source = {"type": "uri_folder", "path": "data"}
    return {
        "type": "parallel",
        "inputs": {"files": source, "word": "hey"},
        "input_data": "${{inputs.files}}",
        "outputs": {"rows": {"type": "uri_file"}},
        "mini_batch_size": "2",
        "retry_settings": {"max_retries": 1, "timeout": 20},
        "task": task,
        **more,
    }


@pytest.fixture
def project(engine: Any) -> Any:
    engine.write("src/entry.py", ENTRY)
    for name in "abc":
        engine.write(f"data/{name}.txt", name)
    return engine


def rows(engine: Any, **more: Any) -> list[str]:
    engine.pipeline({"a": node(**more)})
    return Path(engine.job()["jobs"]["a"]["outputs"]["rows"]).read_text().splitlines()


def test_each_file_is_seen_once_in_a_mini_batch_of_the_size(project: Any) -> None:
    assert rows(project) == ["hey 2 a", "hey 2 b", "hey 1 c"]


def test_an_mltable_names_the_files_of_the_mini_batches(project: Any) -> None:
    project.write("data/MLTable", "type: mltable\npaths:\n  - file: ./b.txt\n  - pattern: ./c*.txt\n")
    inputs = {"files": {"type": "mltable", "path": "data", "mode": "eval_mount"}, "word": "hey"}
    assert rows(project, inputs=inputs, resources={"instance_count": 2}) == ["hey 2 b", "hey 2 c"]


def test_a_mini_batch_that_fails_is_tried_again_and_counts(project: Any) -> None:
    project.write("data/b.txt", "bad")
    assert rows(project) == ["hey 1 c"]
    (log,) = project.jobs_left("jobs/*/a/log.txt")
    assert log.read_text().count("ValueError: bad text\n") >= 2
    assert "2 mini-batches, 1 failed; 2 files without a result" in log.read_text()


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("bad", {"mini_batch_error_threshold": 0}, "error: mini_batch_error_threshold is 0, 1 failed"),
        ("skip", {"error_threshold": 0}, "error: error_threshold is 0, 1 failed"),
    ],
)
def test_more_failures_than_allowed_fail_the_step(project: Any, text: str, more: dict[str, Any], message: str) -> None:
    project.write("data/b.txt", text)
    project.pipeline({"a": node(**more)})
    assert message in project.run("job", "create", "--file", "pipeline.yml", "--stream", code=1).stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"partition_keys": ["a"]}, "step a: partition_keys is not imitated by the local engine"),
        ({"mini_batch_size": "10kb"}, "mini_batch_size 10kb: files only here"),
    ],
)
def test_what_a_parallel_step_does_not_imitate_is_refused_by_name(
    project: Any, more: dict[str, Any], message: str
) -> None:
    project.pipeline({"a": node(**more)})
    said = project.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert said.startswith("error: pipeline.yml:") and message in said
