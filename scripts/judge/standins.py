"""What stands in for the cloud around a job of the judge: environments, web data, registered assets.

The checkout is copied, and in the copy every environment that has a name or packages of its own becomes the stand-in,
and an address of one of the two small tables that samples share (iris, diabetes: both come with scikit-learn) that of
a local file. All else is as it was written.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from sklearn import datasets

from amlspec.errors import UserError
from judge.calls import Engine

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENT = "stand-in"
_NAMED = f"azureml:{ENVIRONMENT}@latest"
_KINDS = {"data": "data", "commandcomponent": "component", "environment": "environment", "model": "model"}


def tables(folder: Path) -> None:
    """Write iris.csv and diabetes.csv with the columns that the samples read."""
    folder.mkdir(parents=True, exist_ok=True)
    iris = datasets.load_iris(as_frame=True)
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    frame = iris.data.set_axis(names, axis=1)
    frame["species"] = iris.target.map(dict(enumerate(iris.target_names)))
    frame.to_csv(folder / "iris.csv", index=False)
    datasets.load_diabetes(as_frame=True, scaled=False).frame.to_csv(folder / "diabetes.csv", index=False)


def copy(source: Path, target: Path, data: Path) -> None:
    """The checkout's `cli` with the stand-ins named in its specs."""
    shutil.copytree(source / "cli", target / "cli", symlinks=True, dirs_exist_ok=True)
    for path in sorted((target / "cli").rglob("*.y*ml")):
        text = _with_standins(path.read_text(encoding="utf-8", errors="surrogateescape"), data)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")


def _with_standins(text: str, data: Path) -> str:
    """A spec with its lines and comments, but for the values that are replaced."""
    try:
        root = yaml.compose(text)
        changes = sorted(_changes(root, data), key=lambda change: change[0], reverse=True) if root else []
    except yaml.YAMLError:
        return text
    for start, end, value in changes:
        text = text[:start] + value + text[end:]
    return text


def _changes(node: yaml.Node, data: Path) -> Iterator[tuple[int, int, str]]:
    """Start, end and new text of each value that is replaced."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _changes(item, data)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        new = _new(key.value, value, data)
        if new is None:
            yield from _changes(value, data)
        else:
            # A mapping's end is the start of what follows it, on a line of its own.
            tail = "" if isinstance(value, yaml.ScalarNode) else "\n" + " " * value.end_mark.column
            yield value.start_mark.index, value.end_mark.index, new + tail


def _new(key: str, value: yaml.Node, data: Path) -> str | None:
    """What stands in for a value; None where it stays, as an environment does that is an image alone."""
    if key == "environment":
        if isinstance(value, yaml.ScalarNode):
            return _NAMED if value.value.startswith("azureml:") else None
        fields = {name.value for name, _ in value.value}
        return _NAMED if fields & {"conda_file", "build"} else None
    if isinstance(value, yaml.ScalarNode) and value.value.startswith(("https://", "wasbs://")):
        name = value.value.rstrip("/").rsplit("/", 1)[-1]
        if (data / name).is_file():
            return str(data / name)
        return str(data) if key == "path" and name.startswith("datasets@") else None
    return None


def register_environment(engine: Engine) -> None:
    """The environment that stands in for all others; raises UserError where it cannot be made."""
    context = engine.folder / ENVIRONMENT
    context.mkdir()
    shutil.copy(REQUIREMENTS, context)
    (context / "Dockerfile").write_text(f"FROM python:3.11\nRUN pip install --requirement {REQUIREMENTS.name}\n")
    spec = {"name": ENVIRONMENT, "version": "1", "build": {"path": "."}}
    (context / "environment.yml").write_text(yaml.safe_dump(spec))
    done = engine.call("environment", "create", "--file", f"{ENVIRONMENT}/environment.yml", "--output", "none")
    if done.code:
        raise UserError(done.error, 1)


def register(engine: Engine, job: Path) -> None:
    """Register what a job, or a spec beside it, names by name and the checkout has a spec of.

    What the engine refuses stays away, and the job that needs it then says so.
    """
    for name in sorted(_names(job)):
        if spec := _spec_of(engine.folder, job, name):
            engine.call(_KINDS[_schema(_load(spec))], "create", "--file", str(spec), "--output", "none")


def _names(job: Path) -> set[str]:
    """Names in `azureml:<name>:<version>` of a job's spec, and of those of pipelines in its folder."""
    specs = (_load(path) for path in (job, *job.parent.glob("*pipeline*.y*ml")))
    texts = (text for spec in specs for text in _strings(spec) if text.startswith("azureml:") and "//" not in text)
    return {text.removeprefix("azureml:").partition("@")[0].partition(":")[0] for text in texts} - {ENVIRONMENT}


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for each in data.values() if isinstance(data, dict) else data:
            yield from _strings(each)


def _spec_of(root: Path, job: Path, name: str) -> Path | None:
    """The spec of that name: beside the job, else anywhere in the checkout."""
    for folder in (job.parent, root / "cli" / "assets", root / "cli"):
        for path in sorted(folder.rglob("*.y*ml")):
            data = _load(path)
            if data.get("name") == name and _schema(data) in _KINDS:
                return path
    return None


def _schema(data: dict[str, Any]) -> str:
    return str(data.get("$schema", "")).rsplit("/", 1)[-1].partition(".")[0].lower()


def _load(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, dict) else {}
