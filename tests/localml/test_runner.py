"""The fidelity rules of the local engine, each seen from outside."""

import json
import os
import signal
from pathlib import Path

import pytest

WRITE = """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("text", "out", "source", "extra"):
    parser.add_argument("--" + name, default="")
args = parser.parse_args()
path = pathlib.Path(args.out)
path.mkdir(exist_ok=True)
read = (pathlib.Path(args.source) / "text").read_text() if args.source else ""
(path / "text").write_text(read + args.text + args.extra)
print("wrote", args.text)
"""
FOLDER = {"out": {"type": "uri_folder"}}
STRING = {"type": "string"}


@pytest.fixture
def chain(engine):
    """Two steps: the second adds to what the first wrote."""
    engine.component("first", WRITE, {"text": STRING}, FOLDER)
    engine.component("second", WRITE, {"text": STRING, "source": {"type": "uri_folder"}}, FOLDER)
    source = "${{parent.jobs.one.outputs.out}}"
    engine.pipeline(
        {
            "one": {"component": "first.yml", "inputs": {"text": "${{parent.inputs.word}}"}},
            "two": {
                "component": "second.yml",
                "inputs": {"text": "!", "source": source},
                "outputs": {"out": "${{parent.outputs.result}}"},
            },
        },
        inputs={"word": "hello"},
        outputs={"result": {"type": "uri_folder", "name": "greeting"}},
    )
    return engine


def result(job):
    return (Path(job["outputs"]["result"]["path"]) / "text").read_text()


def statuses(job):
    return {name: (step["status"], bool(step.get("reused_from"))) for name, step in job["jobs"].items()}


def test_outputs_flow_along_the_bindings_and_the_named_one_becomes_an_asset(chain):
    job = chain.job()
    assert result(job) == "hello!"
    assert job["outputs"]["result"]["asset"] == "azureml:greeting:1"
    assert chain.json("data", "show", "--name", "greeting", "--label", "latest")["version"] == "1"


def test_an_unchanged_second_run_reuses_every_step(chain):
    first, second = chain.job(), chain.job()
    assert statuses(second) == {"one": ("Completed", True), "two": ("Completed", True)}
    assert second["jobs"]["two"]["reused_from"] == first["name"]
    assert result(second) == "hello!"


def test_a_changed_input_reruns_what_depends_on_it(chain):
    chain.job()
    job = chain.job("--set", "inputs.word=bye")
    assert result(job) == "bye!"
    assert statuses(job) == {"one": ("Completed", False), "two": ("Completed", False)}


def test_a_changed_script_reruns_its_step_and_equal_output_stops_there(chain):
    chain.job()
    script = chain.root / "src/first/first.py"
    script.write_text(script.read_text() + "# a comment\n")
    assert statuses(chain.job()) == {"one": ("Completed", False), "two": ("Completed", True)}


@pytest.mark.parametrize("change", ["environment", "command", "variable"])
def test_a_changed_spec_or_environment_reruns_the_step(chain, change):
    chain.job()
    spec = (chain.root / "second.yml").read_text()
    more: tuple[str, ...] = ()
    if change == "environment":
        chain.write("env2.yml", {"name": "env", "version": "2", "image": "example.com/python:2"})
        chain.run("environment", "create", "--file", "env2.yml")
        spec = spec.replace("azureml:env:1", "azureml:env:2")
    elif change == "command":
        spec = spec.replace("python second.py", "python -B second.py")
    else:
        more = ("--set", "jobs.two.environment_variables.MODE=fast")
    chain.write("second.yml", spec)
    assert statuses(chain.job(*more)) == {"one": ("Completed", True), "two": ("Completed", False)}


def test_variables_of_a_component_are_refused_since_azure_drops_them(chain):
    spec = (chain.root / "second.yml").read_text()
    chain.write("second.yml", spec + "environment_variables:\n  MODE: fast\n")
    error = chain.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert "environment_variables: not a field here" in error


def test_a_changed_description_reruns_nothing(chain):
    chain.job()
    spec = (chain.root / "second.yml").read_text()
    chain.write("second.yml", spec + "description: Another text.\n")
    assert statuses(chain.job())["two"] == ("Completed", True)


def test_a_step_that_is_not_deterministic_runs_each_time(chain):
    spec = (chain.root / "first.yml").read_text()
    chain.write("first.yml", spec + "is_deterministic: false\n")
    chain.job()
    assert statuses(chain.job())["one"] == ("Completed", False)


def test_a_step_sees_only_the_snapshot_of_its_code_folder(engine):
    engine.write("src/helper.py", "x = 1\n")
    engine.component("lonely", "import os, sys\nsys.path.append('..')\nprint(os.getcwd())\nimport helper\n")
    engine.pipeline({"only": {"component": "lonely.yml"}})
    done = engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    assert "No module named 'helper'" in done.stderr
    assert f"{engine.home}/jobs" in done.stderr


def test_a_step_cannot_import_the_engine_or_the_callers_pythonpath(engine):
    engine.component("lonely", "import localml\n")
    engine.pipeline({"only": {"component": "lonely.yml"}})
    assert "No module named 'localml'" in engine.run("job", "create", "-f", "pipeline.yml", "--stream", code=1).stderr


def test_the_snapshot_leaves_out_what_the_ignore_file_names(engine):
    there = "['.amlignore', 'lister.py', 'outputs']"
    engine.component("lister", f"import os\nassert sorted(os.listdir()) == {there}, os.listdir()\n")
    engine.write("src/lister/.amlignore", "*.csv\nbig/\n")
    engine.write("src/lister/data.csv", "1")
    engine.write("src/lister/big/file", "1")
    engine.write("src/lister/__pycache__/x.pyc", "1")
    engine.pipeline({"only": {"component": "lister.yml"}})
    assert engine.job()["status"] == "Completed"


def test_an_optional_input_without_a_value_takes_its_flag_along(engine):
    inputs = {"text": STRING, "extra": {"type": "string", "optional": True}}
    engine.component("maker", WRITE, inputs, FOLDER)
    node = {"component": "maker.yml", "outputs": {"out": "${{parent.outputs.result}}"}}
    for given, expected in (({}, "a"), ({"extra": "b"}, "ab")):
        engine.pipeline({"only": {**node, "inputs": {"text": "a", **given}}}, outputs={"result": {}})
        assert result(engine.job()) == expected


def test_independent_steps_run_side_by_side(engine):
    meet = """
import pathlib, sys, time
here, other = sys.argv[2], sys.argv[4]
pathlib.Path(here).touch()
for _ in range(600):
    if pathlib.Path(other).exists():
        break
    time.sleep(0.05)
else:
    sys.exit("the other never came")
"""
    engine.component("meet", meet, {"here": STRING, "other": STRING})
    a, b = str(engine.root / "a"), str(engine.root / "b")
    nodes = {"x": {"here": a, "other": b}, "y": {"here": b, "other": a}}
    engine.pipeline({name: {"component": "meet.yml", "inputs": inputs} for name, inputs in nodes.items()})
    assert engine.job()["status"] == "Completed"


def test_a_failed_step_is_shown_with_its_exit_code_last_lines_and_log(chain):
    chain.write("src/second/second.py", "import sys\nprint('the reason')\nsys.exit(7)\n")
    done = chain.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    assert "two: ended with exit code 7" in done.stderr
    assert "the reason" in done.stderr
    log = next(line.split("log: ")[1] for line in done.stderr.splitlines() if "log: " in line)
    assert "the reason" in (chain.root / log).read_text()


def test_a_failed_step_leaves_no_output_and_no_asset_and_the_next_run_goes_on(chain):
    good = (chain.root / "src/second/second.py").read_text()
    chain.write("src/second/second.py", good + "raise SystemExit(3)\n")
    chain.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    assert chain.jobs_left("jobs/*/two/outputs") == []
    assert chain.json("data", "list") == []
    chain.write("src/second/second.py", good)
    assert statuses(chain.job()) == {"one": ("Completed", True), "two": ("Completed", False)}


def test_a_failed_step_cancels_those_beside_it_and_what_follows_never_starts(engine):
    engine.component("bad", "import time\ntime.sleep(1)\nraise SystemExit(4)\n", outputs=FOLDER)
    engine.component("slow", "import time\ntime.sleep(60)\n", outputs=FOLDER)
    engine.component("after", WRITE, {"text": STRING, "source": {"type": "uri_folder"}}, FOLDER)
    source = "${{parent.jobs.bad.outputs.out}}"
    nodes = {"bad": {"component": "bad.yml"}, "slow": {"component": "slow.yml"}}
    nodes["after"] = {"component": "after.yml", "inputs": {"text": "x", "source": source}}
    engine.pipeline(nodes)
    done = engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    assert "failed in bad; finished steps are kept" in done.stderr
    (name,) = [job["name"] for job in engine.json("job", "list")]
    jobs = engine.json("job", "show", "--name", name)["jobs"]
    assert {key: job["status"] for key, job in jobs.items()} == {
        "bad": "Failed", "slow": "Canceled", "after": "NotStarted",
    }  # fmt: skip
    assert engine.jobs_left("jobs/*/*/outputs") == []


def test_a_step_that_does_not_write_its_file_fails(engine):
    engine.component("silent", "", outputs={"out": {"type": "uri_file"}})
    engine.pipeline({"only": {"component": "silent.yml"}})
    assert "did not write its output out" in engine.run("job", "create", "-f", "pipeline.yml", "-s", code=1).stderr


def test_a_step_over_its_time_limit_is_ended_with_its_children(engine, eventually):
    script = "import subprocess, pathlib, os\nchild = subprocess.Popen(['sleep', '600'])\n"
    script += f"pathlib.Path({str(engine.root / 'pid')!r}).write_text(str(child.pid))\nchild.wait()\n"
    engine.component("slow", script)
    engine.pipeline({"only": {"component": "slow.yml", "limits": {"timeout": 2}}})
    assert "longer than its limit of 2 s" in engine.run("job", "create", "-f", "pipeline.yml", "-s", code=1).stderr
    pid = int((engine.root / "pid").read_text())
    eventually(lambda: not is_running(pid))


def is_running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_ended_engine_takes_its_steps_along_and_the_next_run_works(chain, eventually, number):
    good = (chain.root / "src/second/second.py").read_text()
    pid_file = chain.root / "pid"
    pause = f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
    pause += f"while os.path.exists({str(chain.root / 'wait')!r}): time.sleep(0.05)\n"
    chain.write("wait", "")
    chain.write("src/second/second.py", pause + good)
    process = chain.start("job", "create", "--file", "pipeline.yml", "--stream")
    pid = int(eventually(lambda: pid_file.exists() and pid_file.read_text()))
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=30)
    eventually(lambda: not is_running(pid))
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert errors.splitlines()[-1].startswith("error: interrupted")
    (chain.root / "wait").unlink()
    job = chain.job()
    assert statuses(job)["one"] == ("Completed", True)
    assert result(job) == "hello!"
    ended = [each["status"] for each in chain.json("job", "list")]
    assert ended == ["Completed", "Failed" if number == signal.SIGKILL else "Canceled"]
    assert len(chain.jobs_left("jobs/*/two/outputs")) == 0


def test_a_killed_step_fails_the_job_and_leaves_nothing(chain):
    chain.write("src/second/second.py", "import os\nos.kill(os.getpid(), 9)\n")
    done = chain.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    assert "signal 9" in done.stderr or "exit code 137" in done.stderr
    assert chain.jobs_left("jobs/*/two/outputs") == []


def test_two_runs_at_once_make_each_output_once(chain):
    runs = [chain.start("job", "create", "--file", "pipeline.yml", "--stream") for _ in range(2)]
    jobs = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
    assert [result(job) for job in jobs] == ["hello!", "hello!"]
    ran = [name for job in jobs for name, (_, reused) in statuses(job).items() if not reused]
    assert sorted(ran) == ["one", "two"]


def test_a_fixed_datastore_path_outlives_a_failed_step(engine):
    script = "import pathlib, sys\np = pathlib.Path(sys.argv[2]); n = len(list(p.iterdir()))\n"
    script += "(p / str(n)).touch()\nsys.exit(0 if n else 1)\n"
    engine.component("stager", script, outputs={"staging": {"type": "uri_folder"}})
    path = "azureml://datastores/workspaceblobstore/paths/staging"
    outputs = {"staging": {"type": "uri_folder", "mode": "rw_mount", "path": path}}
    node = {"component": "stager.yml", "outputs": {"staging": "${{parent.outputs.staging}}"}}
    engine.pipeline({"only": node}, outputs=outputs)
    engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    assert engine.job()["status"] == "Completed"
    assert len(engine.jobs_left("datastores/workspaceblobstore/staging/*")) == 2


def test_a_job_without_stream_runs_in_the_background(chain, eventually):
    name = chain.json("job", "create", "--file", "pipeline.yml")["name"]
    chain.run("job", "stream", "--name", name)
    assert chain.json("job", "show", "--name", name)["status"] == "Completed"


def test_a_cancelled_job_says_so_and_leaves_nothing(chain, eventually):
    chain.write("src/second/second.py", "import time\ntime.sleep(60)\n")
    name = chain.json("job", "create", "--file", "pipeline.yml")["name"]
    eventually(lambda: chain.json("job", "show", "--name", name)["jobs"].get("two", {}).get("status") == "Running")
    chain.run("job", "cancel", "--name", name)
    job = eventually(lambda: (shown := chain.json("job", "show", "--name", name))["status"] == "Canceled" and shown)
    assert job["error"] == "interrupted"
    assert job["jobs"]["two"]["status"] == "Canceled"
    assert chain.jobs_left("jobs/*/two/outputs") == []
    assert "does not run: it is Canceled" in chain.run("job", "cancel", "--name", name, code=2).stderr


def test_job_download_copies_an_output(chain):
    job = chain.job()
    chain.run("job", "download", "--name", job["name"], "--output-name", "result", "--download-path", "here")
    assert (chain.root / "here/named-outputs/result/text").read_text() == "hello!"
