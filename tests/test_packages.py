"""What the packages of src/ may import: demand stands alone, the other two stand on it alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
PACKAGES = ("demand", "sales", "forecasting")
ALLOWED = {"demand": {"demand"}, "sales": {"demand", "sales"}, "forecasting": {"demand", "forecasting"}}
MODULES = sorted(path.relative_to(SRC) for name in PACKAGES for path in (SRC / name).rglob("*.py"))
# The class of the scikit-learn models: their pickles refer to it by this name, and serving never imports it.
LEARNED = "demand.model"
MISSING = (
    "pandas",
    "sklearn",
    "mlflow",
    "duckdb",
    "pyarrow",
    "snowflake",
    "scipy",
    "onnx",
    "skl2onnx",
    "joblib",
    "azure",
)


def imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere, also inside a function."""
    nodes = list(ast.walk(ast.parse((SRC / path).read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return plain | {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_imports_only_packages_that_its_own_stands_on(path: Path) -> None:
    packages = {name.split(".")[0] for name in imported(path)} & set(PACKAGES)
    assert packages <= ALLOWED[path.parts[0]]


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    names = {".".join(path.with_suffix("").parts): path for path in MODULES}
    uses = {
        name: {".".join(each.split(".")[:2]) for each in imported(path)} & names.keys() for name, path in names.items()
    }
    while free := {name for name, others in uses.items() if not others & uses.keys()}:
        uses = {name: others for name, others in uses.items() if name not in free}
    assert not uses


def test_what_forecasts_needs_numpy_and_onnxruntime_only() -> None:
    """Each module of demand is imported where the packages that only training and import have are missing."""
    names = [".".join(path.with_suffix("").parts) for path in MODULES if path.parts[0] == "demand"]
    served = [name for name in names if name not in (LEARNED, "demand.__init__")]
    code = f"""
import importlib, importlib.abc, sys
from unittest import mock
MISSING = {MISSING!r}
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in MISSING:
            raise ImportError(f"{{name}} is not there where the endpoint runs")
sys.meta_path.insert(0, Refuse())
# The server lives in the endpoint's environment alone.
for name in ("", ".api", ".api.aml_request", ".api.aml_response"):
    sys.modules["azureml_inference_server_http" + name] = mock.MagicMock()
for name in {served!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=SRC, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
