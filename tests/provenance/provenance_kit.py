"""A small model's folder, signed as the register step signs one."""

import json
from pathlib import Path
from typing import Any

from judging import provenance
from provenance import keys

NAME = "demand-forecast"


def verdict(promoted: bool = True, selected: str = "booster") -> dict[str, Any]:
    return {"promoted": promoted, "selected": selected, "reasons": ["because"], "changes": ["Price now counts"]}


def write_model(folder: Path, seed: str = "a") -> Path:
    """A folder as an MLflow model has one, with a file that git would ignore."""
    (folder / "serving").mkdir(parents=True)
    (folder / "MLmodel").write_text(f"flavors: {{}}\nmetadata: {{seed: {seed}}}\n")
    (folder / "model.pkl").write_bytes(f"pickle {seed}".encode())
    (folder / "serving/forest.onnx").write_bytes(bytes(range(256)))
    (folder / ".gitignore").write_text("*\n")
    return folder


def signed(folder: Path, seed: str = "a", name: str = NAME, key: Path | None = None, **of_verdict: Any) -> Path:
    """A model with its provenance; with this machine's key unless another is given."""
    model = write_model(folder / "model", seed)
    data = folder / "monthly"
    data.mkdir()
    (data / "monthly.parquet").write_bytes(b"rows")
    (folder / "verdict.json").write_text(json.dumps(verdict(**of_verdict)))
    (folder / "card.md").write_text("# Card\n")
    settings = {"as_of": "2026-12-01Z", "holdout_months": "12", "attempt": "first"}
    origin = provenance.Origin(name, "7", "a" * 40, "recipe-1", f"print-{seed}", "run-1", settings, data)
    provenance.describe(model, folder / "verdict.json", folder / "card.md", origin)
    keys.give_to_jobs()
    provenance.sign(model, str(key or keys.folder() / keys.PRIVATE))
    return model


def tags(seed: str = "a", selected: str = "booster") -> dict[str, str]:
    return {
        "candidate": selected, "data_version": "7", "fingerprint": f"print-{seed}", "git_commit": "a" * 40,
        "recipe": "recipe-1", "wape": "0.156",
    }  # fmt: skip
