"""Runs of small pipelines: conditions, outputs, artifacts, matrices, approvals, failures, a cancel."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agent_kit import small_repo

from agent import __main__ as agent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(repo: Path, *words: str) -> int:
    return agent.main(["one", "--root", str(repo), *words])


def logs(home: Path) -> str:
    folder = sorted((home / "ci/runs").iterdir())[-1]
    return "\n".join(path.read_text() for path in sorted((folder / "logs").glob("*.log")))


def lines(text: str) -> list[str]:
    """What the screen said, without seconds."""
    return [re.sub(r" \(\d+\.\d s\)", "", line).strip() for line in text.splitlines()]


def test_variables_outputs_and_conditions_across_steps_jobs_and_stages(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = small_repo(
        tmp_path,
        """
        variables:
          greeting: hello
          said: $(greeting) $(Build.SourceBranchName)
        stages:
          - stage: first
            jobs:
              - job: a
                steps:
                  - bash: |
                      echo "##vso[task.setvariable variable=later]$GREETING"
                      echo "##vso[task.setvariable variable=colour;isOutput=true]red"
                    name: set
                  - bash: echo 'later is $(later), $(said), nothing is $(nothing), env is '"$SAID"
                  - bash: echo never
                    condition: eq(variables.later, 'other')
              - job: b
                dependsOn: a
                variables:
                  seen: $[ dependencies.a.outputs['set.colour'] ]
                condition: and(succeeded(), eq(dependencies.a.outputs['set.colour'], 'RED'))
                steps:
                  - bash: echo "b saw $(seen)"
          - stage: second
            variables:
              far: $[ stageDependencies.first.a.outputs['set.colour'] ]
            condition: and(succeeded(), eq(dependencies.first.outputs['a.set.colour'], 'red'))
            jobs:
              - job: c
                steps:
                  - bash: echo "c saw $(far)"
          - stage: third
            condition: eq(dependencies.second.result, 'Failed')
            jobs:
              - job: d
                steps: []
        """,
    )
    assert run(repo) == 0
    text = logs(home)
    assert "later is hello, hello main, nothing is $(nothing), env is hello main" in text
    assert "b saw red" in text
    assert "c saw red" in text
    assert "never" not in text
    assert "skipped  stage third" in lines(capsys.readouterr().out)


def test_a_failing_step_ends_its_job_and_what_waits_for_it(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = small_repo(
        tmp_path,
        """
        jobs:
          - job: a
            steps:
              - bash: echo before; echo the reason; exit 3
                displayName: bad
              - bash: echo not this
              - bash: echo but this
                condition: failed()
              - bash: echo and this
                condition: always()
          - job: b
            dependsOn: a
            steps:
              - bash: echo not b
          - job: c
            dependsOn: a
            condition: failed()
            steps:
              - bash: echo c after the failure
        """,
    )
    assert run(repo) == 1
    text, shown = logs(home), lines(capsys.readouterr().out)
    assert "not this" not in text
    assert "not b" not in text
    assert "but this" in text
    assert "and this" in text
    assert "c after the failure" in text
    assert "failed   bad" in shown
    assert "| the reason" in shown
    assert "skipped  b" in shown


def test_a_step_that_may_fail_retries_and_a_time_limit(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = small_repo(
        tmp_path,
        """
        steps:
          - bash: exit 1
            displayName: may fail
            continueOnError: true
          - bash: |
              echo try >>tries
              [ "$(wc -l <tries)" -ge 3 ]
            displayName: third time
            retryCountOnTaskFailure: 3
          - bash: sleep 30
            displayName: too long
            timeoutInMinutes: 0.01
        """,
    )
    began = time.monotonic()
    assert run(repo) == 1
    assert time.monotonic() - began < 20
    shown = lines(capsys.readouterr().out)
    assert {"warning  may fail", "ok       third time", "failed   too long"} <= set(shown)
    assert "the time is over" in logs(home)


def test_each_job_has_a_checkout_of_its_own_of_what_stands_in_the_working_tree(tmp_path: Path, home: Path) -> None:
    repo = small_repo(
        tmp_path,
        """
        jobs:
          - job: a
            steps:
              - bash: cat new.txt; echo dirt >dirt.txt
          - job: b
            steps:
              - bash: ls; git log -1 --format=%s; git rev-parse origin/main
          - job: c
            steps:
              - checkout: none
              - bash: echo "files $(ls | wc -l)"
        """,
    )
    (repo / "new.txt").write_text("not committed yet\n")
    before = subprocess.run(["git", "-C", repo, "status", "--short"], capture_output=True, text=True, check=True).stdout
    assert run(repo) == 0
    text = logs(home)
    assert "not committed yet" in text
    assert "dirt.txt" not in text
    assert "files 0" in text
    after = subprocess.run(["git", "-C", repo, "status", "--short"], capture_output=True, text=True, check=True).stdout
    assert after == before


def test_artifacts_matrices_and_caches(tmp_path: Path, home: Path) -> None:
    repo = small_repo(
        tmp_path,
        """
        jobs:
          - job: make
            strategy:
              matrix:
                one: {number: "1"}
                two: {number: "2"}
            steps:
              - task: Cache@2
                inputs:
                  key: '"things" | $(number) | .azuredevops/one.yml'
                  path: things
                  cacheHitVar: hit
              - bash: echo "hit $(number) $(hit)"; mkdir -p things; echo $(number) >things/x
              - bash: echo "##vso[task.setvariable variable=n;isOutput=true]$(number)"
                name: out
              - publish: $(System.DefaultWorkingDirectory)/things
                artifact: things-$(number)
          - job: take
            dependsOn: make
            variables:
              second: $[ dependencies.make.outputs['two.out.n'] ]
            steps:
              - download: current
                artifact: things-2
              - task: DownloadPipelineArtifact@2
                inputs: {artifact: things-1, targetPath: $(Pipeline.Workspace)/here}
              - bash: echo "took $(cat $(Pipeline.Workspace)/things-2/x)$(cat ../here/x), output $(second)"
        """,
    )
    assert run(repo) == 0
    assert "hit 1 false" in logs(home)
    assert "took 21, output 2" in logs(home)
    assert run(repo) == 0
    assert "hit 1 true" in logs(home)


def test_a_deployment_job_has_the_artifacts_and_waits_for_a_person(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = small_repo(
        tmp_path,
        """
        stages:
          - stage: build
            jobs:
              - job: a
                steps:
                  - bash: echo x >file
                  - publish: file
                    artifact: thing
          - stage: prod
            jobs:
              - deployment: d
                environment: demand-prod
                strategy:
                  runOnce:
                    deploy:
                      steps:
                        - bash: echo "has $(cat $(Pipeline.Workspace)/thing/file)"
                          name: step
        """,
    )
    assert run(repo) == 1
    shown = lines(capsys.readouterr().out)
    assert "environment demand-prod asks a person, and nobody is here: APPROVE=prod approves it" in shown
    assert "failed   stage prod" in shown
    assert run(repo, "--reject", "prod") == 1
    assert "environment demand-prod: rejected" in lines(capsys.readouterr().out)
    assert run(repo, "--approve", "prod") == 0
    assert "has x" in logs(home)
    assert run(repo, "--approve", "prod", "--branch", "feature") == 1
    assert "takes main alone, and this run is of refs/heads/feature" in capsys.readouterr().out


def test_secrets_are_masked_and_reach_only_the_steps_that_map_them(tmp_path: Path, home: Path) -> None:
    repo = small_repo(
        tmp_path,
        """
        steps:
          - bash: echo "##vso[task.setvariable variable=password;isSecret=true]hunter-2"
          - bash: echo "env [$PASSWORD] macro $(password) mapped $MAPPED"
            env: {MAPPED: $(password)}
        """,
    )
    assert run(repo) == 0
    assert "env [] macro *** mapped ***" in logs(home)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("- task: NuGet@1", "one.yml:3: the task NuGet@1 is not known here"),
        ("- {task: AzureCLI@2, inputs: {azureSubscription: x, color: y}}", "AzureCLI@2: the input color is not known"),
        ("- {task: AzureCLI@2, inputs: {azureSubscription: x}}", "AzureCLI@2: the input inlinescript is missing"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_runs(
    steps: str, message: str, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_repo(tmp_path, f"steps:\n  - bash: echo started\n  {steps}\n")) == 2
    assert message in capsys.readouterr().err
    assert "started" not in logs(home)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ('bash: echo "##vso[artifact.upload x=y]z"', "the logging command artifact.upload is not known here"),
        ("bash: echo '##vso[task.setvariable variable=a;isOutput=true]x'", "is set by a step without a name"),
        ("publish: gone", "not there, so the artifact x is not published"),
        ("download: current", "no artifact x in this run"),
    ],
)
def test_what_an_agent_would_refuse_fails_the_step(step: str, message: str, tmp_path: Path, home: Path) -> None:
    more = "\n    artifact: x" if not step.startswith("bash") else ""
    assert run(small_repo(tmp_path, f"steps:\n  - {step}{more}\n")) == 1
    assert message in logs(home)


def test_an_artifacts_name_stays_inside_of_its_folder(tmp_path: Path, home: Path) -> None:
    repo = small_repo(tmp_path, "steps:\n  - publish: .azuredevops\n    artifact: ../../../out\n")
    assert run(repo) == 1
    assert not list(home.parent.rglob("out"))


def test_fail_makes_a_step_fail_and_list_runs_nothing(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = small_repo(tmp_path, "steps:\n  - bash: echo ran\n    name: first\n")
    assert run(repo, "--list") == 0
    assert "__default.job: bash" in capsys.readouterr().out
    assert run(repo, "--fail", "first") == 1
    assert "ran" not in logs(home)


@pytest.mark.slow
def test_ctrl_c_ends_the_step_and_lets_what_cleans_up_run(tmp_path: Path, home: Path) -> None:
    repo = small_repo(
        tmp_path,
        """
        jobs:
          - job: a
            steps:
              - bash: |
                  trap 'echo told to end; exit 130' INT
                  touch $(Agent.TempDirectory)/../../begun
                  sleep 60 & wait $!
              - bash: echo not this
              - bash: echo cleans up
                condition: canceled()
              - bash: echo always
                condition: always()
          - job: b
            dependsOn: a
            condition: succeededOrFailed()
            steps:
              - bash: echo not b
        """,
    )
    command = [sys.executable, "-m", "agent", "one", "--root", str(repo)]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
    while not (home / "ci/begun").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    text = logs(home)
    assert "told to end" in text
    assert "cleans up" in text
    assert "always" in text
    assert "not this" not in text
    assert "not b" not in text
    assert "one: Canceled" in shown


def test_what_a_job_leaves_running_with_its_state_in_the_checkout_ends_with_it(tmp_path: Path, home: Path) -> None:
    import psutil  # noqa: PLC0415

    repo = small_repo(
        tmp_path,
        """
        steps:
          - bash: |
              LOCALML_HOME=$PWD/.localml setsid sleep 300 >/dev/null 2>&1 &
              echo $! >$(Pipeline.Workspace)/../orphan
              LOCALML_HOME=$(Pipeline.Workspace)/../environments/dev setsid sleep 300 >/dev/null 2>&1 &
              echo $! >$(Pipeline.Workspace)/../server
        """,
    )
    assert run(repo) == 0
    orphan, server = (int((home / "ci" / name).read_text()) for name in ("orphan", "server"))
    deadline = time.monotonic() + 10  # a process that was killed is seen for a moment on a busy machine
    while psutil.pid_exists(orphan) and psutil.Process(orphan).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert psutil.Process(server).is_running()
    psutil.Process(server).kill()


def test_a_refused_logging_command_lets_the_step_end_first(tmp_path: Path, home: Path) -> None:
    """More output than a pipe holds comes after it."""
    repo = small_repo(
        tmp_path,
        """
        steps:
          - bash: |
              echo "##vso[task.setvariable variable=a;isOutput=true]x"
              seq 100000
              touch $(Pipeline.Workspace)/../ended
        """,
    )
    assert run(repo) == 1
    assert (home / "ci/ended").exists()
    assert "is set by a step without a name" in logs(home)


def test_ctrl_c_at_an_approval_cancels_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = "{deployment: d, environment: demand-prod, strategy: {runOnce: {deploy: {steps: [{bash: echo ran}]}}}}"
    repo = small_repo(tmp_path, f"jobs:\n  - {deployment}\n")

    def interrupted(_question: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
        return "y"

    monkeypatch.setattr("builtins.input", interrupted)
    monkeypatch.setattr(os, "isatty", lambda _number: True)
    assert run(repo) == 130
    assert "one: Canceled" in capsys.readouterr().out


def test_two_runs_at_once_do_not_meet(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from filelock import FileLock  # noqa: PLC0415

    repo = small_repo(tmp_path, "steps:\n  - bash: echo\n")
    home.mkdir()
    with FileLock(home / "ci.lock"):
        assert run(repo) == 2
    assert "another run of a pipeline is at work here" in capsys.readouterr().err


def test_older_runs_go(tmp_path: Path, home: Path) -> None:
    repo = small_repo(tmp_path, "steps:\n  - checkout: none\n")
    for _ in range(12):
        run(repo)
    assert len(list((home / "ci/runs").iterdir())) == 10
