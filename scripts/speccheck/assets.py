"""References to other assets: `azureml:name:version`, computes, datastores, connections, local paths."""

import re
from collections.abc import Iterator

from amlspec.document import Key
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.references import PREFIX, Reference, bare, is_named
from amlspec.versions import highest
from amlspec.wording import closest
from speccheck.repo import COMPONENTS, Repo, Spec, local

_DATASTORE = re.compile(r"azureml://(?:.*/)?datastores/([^/]+)/paths/.+")
# Data imports write there without a path (azureml-examples, cli/assets/data/snowflake-import-managed.yml).
_MANAGED = "azureml://datastores/workspacemanageddatastore"
# Below these keys every name is the author's own: an input called compute is not a compute.
_OWN_NAMES = ("inputs", "outputs", "tags", "properties", "environment_variables", "search_space")
_CHECKED = (*COMPONENTS, Kind.PIPELINE, Kind.COMMAND_JOB, Kind.SWEEP_JOB, Kind.DEPLOYMENT, Kind.ENDPOINT, Kind.DATA)


def check_assets(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Every reference of one spec."""
    if spec.kind not in (*_CHECKED, Kind.IMPORT, Kind.MODEL, Kind.SCHEDULE):
        return
    for where, text in spec.doc.strings():
        key = str(where[-1])
        if (where[-2:-1] and where[-2] in _OWN_NAMES) or "inference_config" in where:
            continue
        if key == "environment":
            yield from _environment(repo, spec, where, text)
        elif key in ("compute", "default_compute"):
            yield from _compute(repo, spec, where, text)
        elif key == "model" and spec.kind == Kind.DEPLOYMENT:
            yield from _model(repo, spec, where, text)
        elif key == "path" and "code_configuration" not in where:
            yield from _path(repo, spec, where, text)


def _environment(repo: Repo, spec: Spec, where: tuple[Key, ...], text: str) -> Iterator[Finding]:
    versions = repo.versions.get(Kind.ENVIRONMENT, {})
    if text.startswith("azureml://") or "${{" in text:
        return
    if not is_named(text):
        target = repo.at(spec.folder, text)
        if (target is None or target.kind != Kind.ENVIRONMENT) and text.endswith((".yml", ".yaml")):
            yield spec.doc.find(f"environment file '{text}' is not there: name a file of ml/environments", *where)
        return
    reference = Reference.parse(text) or Reference(bare(text))
    name, version = reference.name, reference.pin
    if name not in versions:
        yield spec.doc.find(
            f"no environment '{name}' in this repo: {closest(name, versions)}", *where, rule="repo/environment"
        )
    elif version in ("", "latest"):
        newest = highest(list(versions[name]))
        yield spec.doc.find(
            f"environment '{name}' is not pinned: write azureml:{name}:{newest}", *where, rule="style/pin"
        )
    elif version not in versions[name]:
        message = f"no version {version} of environment '{name}' in this repo: {closest(version, versions[name])}"
        yield spec.doc.find(message, *where, rule="repo/environment")


def _compute(repo: Repo, spec: Spec, where: tuple[Key, ...], text: str) -> Iterator[Finding]:
    if text.startswith(("azureml://", "/subscriptions")) or "${{" in text or text in ("serverless", "local"):
        return
    name = bare(text)
    if not is_named(text):
        rule = "style/prefix" if where[-1] == "compute" else ""  # azure-ai-ml refuses it in default_compute only
        yield spec.doc.find(f"compute '{text}' has no azureml: before it: write azureml:{text}", *where, rule=rule)
    elif name not in repo.compute_names:
        message = f"no compute '{name}' in infra or ml/deploy: {closest(name, repo.compute_names)}"
        yield spec.doc.find(message, *where, rule="repo/compute")


def _model(repo: Repo, spec: Spec, where: tuple[Key, ...], text: str) -> Iterator[Finding]:
    name = (Reference.parse(text) or Reference(bare(text))).name
    if is_named(text) and name not in repo.model_names:
        message = f"no model '{name}' is registered by this repo: {closest(name, repo.model_names)}"
        yield spec.doc.find(message, *where, rule="repo/model")
    elif not text.startswith(PREFIX) and not (spec.folder / local(text)).exists():
        yield spec.doc.find(f"model path '{text}' does not exist: write azureml:<name>:<version> or a path", *where)


def _path(repo: Repo, spec: Spec, where: tuple[Key, ...], text: str) -> Iterator[Finding]:
    """A data path: a datastore, a data asset, a URL or a file of this repo."""
    if text.startswith("azureml://"):
        yield from _datastore(repo, spec, where, text)
    elif is_named(text):
        reference = Reference.parse(text) or Reference(bare(text))
        name = reference.name
        if name not in repo.data_names | repo.model_names:
            message = f"no data asset '{name}' is made by this repo: {closest(name, repo.data_names)}"
            yield spec.doc.find(message, *where, rule="repo/data")
        elif not reference.pin:
            yield spec.doc.find(f"'{text}' names no version: write {text}@latest or {text}:<version>", *where)
    elif _is_local(spec, where, text) and not (spec.folder / local(text)).exists():
        yield spec.doc.find(f"path '{text}' does not exist: give a path relative to this file", *where)


def _is_local(spec: Spec, where: tuple[Key, ...], text: str) -> bool:
    """Whether a path must exist in the repo: no URL, no expression, no build folder (checked elsewhere), no output."""
    elsewhere = spec.kind == Kind.IMPORT or "build" in where or "outputs" in where
    return not elsewhere and "://" not in text and "${{" not in text


def _datastore(repo: Repo, spec: Spec, where: tuple[Key, ...], text: str) -> Iterator[Finding]:
    if text == _MANAGED and spec.kind == Kind.IMPORT:
        return
    if "/datastores/" not in text and not text.startswith("azureml://datastores"):
        return
    match = _DATASTORE.fullmatch(text)
    if match is None:
        message = f"'{text}' is not a datastore path: write azureml://datastores/<name>/paths/<path>"
        yield spec.doc.find(message, *where)
    elif match.group(1) not in repo.datastore_names and "${{" not in match.group(1):
        message = f"no datastore '{match.group(1)}': {closest(match.group(1), repo.datastore_names)}"
        yield spec.doc.find(message, *where, rule="repo/datastore")
