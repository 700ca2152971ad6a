"""The command line of the spec check, and what it must not say."""

import io
import re
from pathlib import Path

import pytest

from speccheck.__main__ import main
from speccheck.check import run_checks

ROOT = Path(__file__).parents[2]


def test_good_specs_give_no_finding(repo: Path) -> None:
    assert run_checks(repo, [repo / "ml"]) == []


def test_exit_codes_tell_clean_findings_and_wrong_usage(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(repo), "--no-loaders"]) == 0
    (repo / "src/demand/train.py").unlink()
    assert main(["--root", str(repo), "--no-loaders"]) == 1
    assert main(["--root", str(repo), str(repo / "nowhere")]) == 2
    with pytest.raises(SystemExit) as wrong:
        main(["--nonsense"])
    assert wrong.value.code == 2
    assert "nowhere does not exist" in capsys.readouterr().err


def test_findings_are_one_line_each_in_a_fixed_order(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for spec in (repo / "ml").rglob("*.yml"):
        spec.write_text(spec.read_text().replace("azureml:demand:1", "azureml:demand:9").replace("  sales:", "  sale:"))
    main(["--root", str(repo), "--no-loaders"])
    first = capsys.readouterr().out
    main(["--root", str(repo), "--no-loaders"])
    assert capsys.readouterr().out == first
    lines = first.splitlines()
    assert len(lines) > 5
    assert all(re.fullmatch(r"ml/[\w/.]+:\d+: .+", line) for line in lines)
    keys = [(path, int(number)) for path, number in (line.split(":")[:2] for line in lines)]
    assert keys == sorted(keys)


def test_findings_are_limited_to_the_paths_given(repo: Path) -> None:
    (repo / "src/demand/train.py").unlink()
    components, pipelines = repo / "ml/components", repo / "ml/pipelines"
    assert [f.path for f in run_checks(repo, [components], loaders=False)] == ["ml/components/train.yml"]
    assert run_checks(repo, [pipelines], loaders=False) == []


def test_a_parser_made_in_a_loop_is_asked_by_running_it(repo: Path) -> None:
    script = repo / "src/demand/register.py"
    loop = (
        '    for name in ("--model", "--model-name", "--reports"):\n        parser.add_argument(name, required=True)\n'
    )
    script.write_text(
        f"import argparse\n\n\ndef build_parser():\n    parser = argparse.ArgumentParser()\n{loop}    return parser\n"
    )
    lines = [str(f) for f in run_checks(repo, [repo / "ml"], loaders=False)]
    assert lines == [
        "ml/components/register.yml:21: demand.register requires --reports, the command does not always give it: "
        "add it outside $[[ ]]",
        "ml/components/register.yml:25: demand.register has no flag --report: did you mean '--reports'?",
    ]


def test_choices_named_by_a_constant_are_read_without_running_the_script(repo: Path) -> None:
    script = repo / "src/demand/prepare.py"
    text = script.read_text().replace('["store", "product"]', "GRAINS")
    script.write_text(f'import nowhere\n\nGRAINS = ("store",)\n{text}')
    (finding,) = run_checks(repo, [repo / "ml"], loaders=False)
    assert finding.message == "enum offers product, --grain takes only store: remove it"


def test_a_script_whose_parser_fails_is_a_finding_not_a_crash(repo: Path) -> None:
    (repo / "src/demand/register.py").write_text(
        "import nowhere\n\n\ndef build_parser():\n    for x in y:\n        pass\n"
    )
    (finding,) = run_checks(repo, [repo / "ml"], loaders=False)
    assert finding.line == 22
    assert "build_parser() of demand.register does not run: ModuleNotFoundError" in finding.message


def test_a_loaders_error_is_reported_once_and_leaves_stderr_quiet(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = io.StringIO()
    monkeypatch.setattr("sys.stderr", noise)
    (repo / "ml/pipelines/train.yml").write_text((repo / "ml/pipelines/train.yml").read_text().replace("3600", "soon"))
    assert len(run_checks(repo, [repo / "ml"])) == 1
    assert noise.getvalue() == ""


def test_this_repos_own_specs_are_clean() -> None:
    assert [str(finding) for finding in run_checks(ROOT, [ROOT / "ml"])] == []
