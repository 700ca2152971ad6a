"""Environments: exactly one source, a base image that stays the same, files that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

from amlspec.finding import Finding
from amlspec.kinds import Kind
from speccheck.repo import Repo, Spec

# Azure's own images carry a date: 20260901.v1.
_DATED = re.compile(r".*[.:-]?\d{8}(?:\.v\d+)?$")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_ARG = re.compile(r"^\s*ARG\s+(\w+)=(\S+)", re.IGNORECASE)
_COPY = re.compile(r"^\s*(?:COPY|ADD)\s+(?!.*--from)(?:--\S+\s+)*(\S+)\s+\S+\s*$", re.IGNORECASE)


def image_problem(image: str) -> str | None:
    """Why a base image may change under its name, or None."""
    if "@sha256:" in image:
        return None
    name, _, tag = image.rpartition(":") if ":" in image.rsplit("/", 1)[-1] else (image, "", "")
    if tag in ("", "latest"):
        return f"image '{image}' can change: give a dated tag such as {name or image}:20260901.v1, or a digest"
    if image.startswith("mcr.microsoft.com/azureml/") and not _DATED.fullmatch(tag):
        return f"image tag '{tag}' has no date: give a dated tag such as 20260901.v1"
    return None


def check_environments(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One environment spec and the Dockerfile of its build."""
    if spec.kind != Kind.ENVIRONMENT:
        return
    doc, image, build = spec.doc, spec.data.get("image"), spec.data.get("build")
    if image is None and build is None:
        yield doc.find("environment has neither image nor build: add one of them", "name")
    if image is not None and build is not None:
        yield doc.find("environment has both image and build: Azure ML takes one, remove the other", "image")
    if isinstance(image, str) and (problem := image_problem(image)):
        yield doc.find(problem, "image", rule="style/image")
    conda = spec.data.get("conda_file")
    if isinstance(conda, str) and not (spec.folder / conda).is_file():
        yield doc.find(f"conda file '{conda}' does not exist: give a path relative to this file", "conda_file")
    if isinstance(build, dict):
        yield from _check_build(repo, spec, build)


def _check_build(repo: Repo, spec: Spec, build: dict[str, object]) -> Iterator[Finding]:
    context = (spec.folder / str(build.get("path", "."))).resolve()
    if not context.is_dir():
        yield spec.doc.find(f"build folder '{build.get('path')}' does not exist: create it", "build", "path")
        return
    dockerfile = context / str(build.get("dockerfile_path", "Dockerfile"))
    if not dockerfile.is_file():
        message = f"Dockerfile '{repo.shown(dockerfile)}' does not exist: create it or correct dockerfile_path"
        yield spec.doc.find(message, "build", "dockerfile_path")
        return
    yield from _check_dockerfile(repo.shown(dockerfile), dockerfile)


def _check_dockerfile(shown: str, dockerfile: Path) -> Iterator[Finding]:
    arguments: dict[str, str] = {}
    stages: set[str] = set()
    for number, line in enumerate(dockerfile.read_text(encoding="utf-8").splitlines(), start=1):
        if match := _ARG.match(line):
            arguments[match.group(1)] = match.group(2)
        elif match := _FROM.match(line):
            image = re.sub(r"\$\{?(\w+)\}?", lambda m: arguments.get(m.group(1), m.group(0)), match.group(1))
            if image not in stages and image != "scratch" and (problem := image_problem(image)):
                yield Finding(shown, number, problem, "style/image")
            stages.add(match.group(2) or "")
        elif (match := _COPY.match(line)) and _missing(dockerfile.parent, match.group(1)):
            message = f"'{match.group(1)}' is not in the build folder: add it or correct the name"
            yield Finding(shown, number, message)


def _missing(folder: Path, name: str) -> bool:
    """Whether a COPY source is not there; patterns and variables are not looked up."""
    return not set("*$") & set(name) and not (folder / name).exists()
