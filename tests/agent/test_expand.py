"""Templates, parameters and the expressions that are worked out before a run."""

from pathlib import Path

import pytest
from agent_kit import expanded, small_repo

from agent import model
from amlspec.errors import UserError

LOOP = """
parameters:
  - {name: sizes, type: object, default: [small, large]}
  - {name: deep, type: boolean, default: false}
variables:
  - {name: colour, value: red}
  - ${{ if eq(variables.colour, 'red') }}:
      - {name: seen, value: "yes"}
  - template: more.yml
    parameters: {shade: dark}
steps:
  - ${{ each size in parameters.sizes }}:
      - bash: make ${{ size }} COLOUR=${{ variables.colour }}-${{ variables.shade }}
  - ${{ if parameters.deep }}:
      - bash: make deep
  - ${{ elseif eq(parameters.deep, false) }}:
      - bash: make shallow
  - ${{ else }}:
      - bash: make never
"""
MORE = """
parameters:
  - {name: shade, type: string}
variables:
  - {name: shade, value: "${{ parameters.shade }}"}
"""


def steps(repo: Path, **given: str) -> list[str]:
    return [step.subject for stage in model.stages(expanded(repo, **given)) for job in stage.jobs for step in job.steps]


def test_each_if_and_variables_of_templates(tmp_path: Path) -> None:
    repo = small_repo(tmp_path, LOOP, more=MORE)
    assert steps(repo) == ["make small COLOUR=red-dark", "make large COLOUR=red-dark", "make shallow"]
    assert steps(repo, deep="true")[-1] == "make deep"
    listed = expanded(repo)["variables"]
    assert [each["name"] for each in listed] == ["colour", "seen", "shade"]


def test_a_list_of_steps_as_a_parameter_and_keys_that_are_put_in(tmp_path: Path) -> None:
    repo = small_repo(
        tmp_path,
        """
        steps:
          - template: steps/twice.yml
            parameters:
              title: Hello
              inner:
                - bash: make one
                - template: steps/last.yml
        """,
        steps__twice="""
        parameters:
          - {name: inner, type: stepList}
          - {name: title, type: string, default: ""}
        steps:
          - ${{ parameters.inner }}
          - bash: make two
            ${{ if ne(parameters.title, '') }}:
              displayName: ${{ parameters.title }}
        """,
        steps__last="steps:\n  - bash: make three\n",
    )
    assert steps(repo) == ["make one", "make three", "make two"]
    assert [step.title for step in model.stages(expanded(repo))[0].jobs[0].steps][-1] == "Hello"


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("steps:\n  - template: gone.yml\n", "gone.yml: no such file"),
        ("steps:\n  - template: more.yml@other\n", "templates of other repositories are not known here"),
        ("steps:\n  - template: more.yml\n", "one.yml:2: the parameter shade"),
        ("steps:\n  - template: more.yml\n    parameters: {shad: x}\n", "has no parameter shad: did you mean shade?"),
        ("steps:\n  - bash: ${{ nothing.x }}\n", "one.yml:2: nothing.x: nothing is not a value"),
        ("steps:\n  - powershell: x\n", "one.yml:2: a step of this kind is not known here: powershell"),
        ("steps:\n  - bash: x\n    target: container\n", "the step bash has the key target, which is not known here"),
        ("jobs:\n  - job: a\n    services: {}\n", "a job has the key services, which is not known here"),
        ("extends:\n  template: x.yml\n", "a pipeline has the key extends, which is not known here"),
        ("jobs:\n  - {job: a, dependsOn: b}\n  - {job: c}\n", "dependsOn: b is not there; there are a, c"),
        ("jobs:\n  - {job: a, dependsOn: b}\n  - {job: b, dependsOn: a}\n", "dependsOn goes in a circle: a, b"),
        ("jobs:\n  - {job: a}\n  - {job: a}\n", "a stands twice"),
        ("jobs:\n  - {deployment: a}\n", "the deployment a names no environment"),
        ("jobs:\n  - {deployment: a, environment: e, strategy: {canary: {}}}\n", "a deployment's strategy is runOnce"),
        ("steps: [\n", "one.yml:2: not valid YAML"),
    ],
)
def test_what_is_not_known_or_wrong_is_named_where_it_stands(pipeline: str, message: str, tmp_path: Path) -> None:
    repo = small_repo(
        tmp_path, pipeline, more=MORE.replace("variables:", "steps:").replace("name: shade, value", "bash")
    )
    with pytest.raises(UserError) as error:
        model.stages(expanded(repo))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        ("{name: x, type: number}", "abc", "x is to be a number, not abc"),
        ("{name: x, type: boolean}", "maybe", "x is to be a boolean, not maybe"),
        ("{name: x, type: string, values: [dev, prod]}", "test", "x=test: give dev, prod"),
        ("{name: x, type: filePath}", "a", "the type filePath of parameter x is not known here"),
    ],
)
def test_parameters_have_types_and_allowed_values(declared: str, given: str, message: str, tmp_path: Path) -> None:
    repo = small_repo(tmp_path, f"parameters:\n  - {declared}\nsteps:\n  - bash: echo\n")
    with pytest.raises(UserError) as error:
        expanded(repo, x=given)
    assert message in str(error.value)


def test_a_stage_waits_for_the_one_before_it_unless_it_says_otherwise(tmp_path: Path) -> None:
    repo = small_repo(tmp_path, "stages:\n  - stage: a\n  - stage: b\n  - {stage: c, dependsOn: []}\n  - stage: d\n")
    assert {stage.name: list(stage.depends) for stage in model.stages(expanded(repo))} == {
        "a": [], "b": ["a"], "c": [], "d": ["c"],
    }  # fmt: skip
