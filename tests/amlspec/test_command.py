"""What a component's command runs."""

import pytest

from amlspec.command import Program, program_of


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("python -m demand.train --x ${{ inputs.x }}", Program("demand.train")),
        ("python train.py --x 1", Program("train", "train.py")),
        ("/opt/bin/python3.11 steps/train.py", Program("steps.train", "steps/train.py")),
        ("python a.py && python -m b", Program("a", "a.py")),
        ("echo python", None),
        ("bash run.sh", None),
        (None, None),
    ],
)
def test_the_program_of_a_command_is_its_module_or_its_script(command: object, program: Program | None) -> None:
    assert program_of(command) == program
