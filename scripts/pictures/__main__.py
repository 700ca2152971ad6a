"""python -m pictures: a run, a rollout and a forecast in a state of their own, recorded and pictured for the docs."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from amlspec.errors import UserError
from pictures import browser, recording, samples

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs/images"
# Page -> what is done in it before it is photographed.
PAGES = {
    "explorer": [
        "document.getElementById('price-all').value = -10",
        "document.getElementById('price-all').dispatchEvent(new Event('input'))",
    ],
    "report": [],
    "runs": [],
    "rollouts": ["document.querySelector('details').open = true"],
    "data": [],
}
WIDTH, HEIGHT, COLOURS = 1100, 1250, 64


def main() -> int:
    """Write docs/images and the samples of README.md and docs; exit code 2 without a browser."""
    if browser.executable() is None:
        sys.stderr.write("error: no Chromium on PATH, which takes the pictures: install chromium\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="demand-") as home:
        try:
            _make(Path(home))
        except (UserError, RuntimeError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
    return 0


def _make(home: Path) -> None:
    dropped = ("LOCALML_STRICT", "CI", "NO_COLOR", "DEMAND_GIVEN", "DEMAND_GOALS")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    variables = {**kept, "LOCALML_HOME": str(home / "state"), "ENV": "local", "TERM": "xterm-256color"}
    try:
        # A live view that draws once a second gives a recording of a tenth of the size.
        recording.record(["make", "run-pipeline"], {**variables, "WATCH_SECONDS": "1"}, IMAGES / "run-pipeline.cast")
        outputs = {"run-pipeline": _table(_output(["run-pipeline"], variables))}
        outputs["forecast"] = _output(["forecast"], variables)
        outputs["deploy"] = _output(["deploy"], variables)
        outputs["predict"] = _output(["predict"], variables)
        outputs["predict-store"] = _output(["predict", "--store", "S001", "--month", "2026-12"], variables)
        outputs["answer"] = _answer(home, variables)
        outputs["status"] = _output(["status"], variables)
        paths = {name: Path(_output(["open", "--page", name], variables).strip()) for name in PAGES}
        _photograph(paths, home)
    finally:
        _output(["stop"], variables)
    tidy = {name: text.replace(str(home / "state"), ".localml") for name, text in outputs.items()}
    for path in samples.write([ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], tidy):
        sys.stdout.write(f"Wrote {path}\n")


def _output(words: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(["./demand", *words], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"./demand {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _answer(home: Path, variables: dict[str, str]) -> str:
    """What the endpoint says to the request of docs/api.md, with one decimal."""
    request = home / "request.json"
    request.write_text(json.dumps({"input_data": [{"StoreID": "S001", "MonthYear": "2026-12", "Promotion": True}]}))
    words = ["ml", "online-endpoint", "invoke", "--name", "demand-forecast", "--request-file", str(request)]
    answer = json.loads(json.loads(_output(words, variables)))
    rows = [{key: round(value, 1) if isinstance(value, float) else value for key, value in row.items()}
            for row in answer["predictions"]]  # fmt: skip
    listed = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    return f'{{\n  "predictions": [\n{listed}\n  ],\n  "model": {json.dumps(answer["model"])}\n}}'


def _table(text: str) -> str:
    """The table of a run, without the times and places of this one."""
    return re.sub(r"\n(Seconds|Report): .*", "", text).split("Rows:")[0].strip("\n").replace("Unchanged", "Promoted")


def _photograph(paths: dict[str, Path], home: Path) -> None:
    with browser.page(home / "profile") as tab:
        for name, scripts in PAGES.items():
            tab.open(paths[name], width=WIDTH, height=HEIGHT)
            for script in scripts:
                tab.run(script)
            taken = base64.b64decode(tab.call("Page.captureScreenshot", format="png")["data"])
            # A page has few colours; a third of the bytes.
            Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS).save(IMAGES / f"{name}.png", optimize=True)
            sys.stdout.write(f"Wrote {IMAGES / name}.png\n")


if __name__ == "__main__":
    raise SystemExit(main())
