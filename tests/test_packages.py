"""What forecasts needs little where it runs; tests/test_arrows.py holds what the packages may import of each other."""

import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
MODULES = sorted(path.relative_to(SRC) for path in (SRC / "demand").rglob("*.py"))
# The classes of the learned models: their pickles refer to them by these names, and serving never imports them.
LEARNED = ("demand.model", "demand.direct_model")
MISSING = (
    "pandas",
    "sklearn",
    "mlflow",
    "duckdb",
    "pyarrow",
    "snowflake",
    "scipy",
    "onnx",
    "joblib",
    "azure",
)


def test_the_package_that_forecasts_needs_numpy_and_onnxruntime_only() -> None:
    """Each module of demand is imported where the packages that only training and import have are missing."""
    names = [".".join(path.with_suffix("").parts) for path in MODULES]
    served = [name for name in names if name not in (*LEARNED, "demand.__init__")]
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
