"""Every verb begins by loading all verbs, which must not load what only some of them work with."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("sklearn", "scipy", "pandas", "mlflow", "onnxruntime", "snowflake")


def test_no_verb_makes_the_others_wait_for_its_packages() -> None:
    code = (
        f"import sys; from frontdoor import app; app.load(); print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [], "import it in the verb that needs it"
