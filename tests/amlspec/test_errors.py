"""How every command ends after a mistake of its user."""

import pytest

from amlspec.errors import UserError, run


def test_a_mistake_ends_with_one_line_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def main(_: object) -> int:
        raise UserError("spec.yml:3: no such field", 3)

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 3
    assert capsys.readouterr().err == "error: spec.yml:3: no such field\n"


def test_what_main_returns_is_the_exit_code() -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda _: 1)
    assert ended.value.code == 1
