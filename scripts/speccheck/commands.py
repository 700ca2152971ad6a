"""A component's command against the code it runs: folder, module, flags."""

import importlib.util
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec.bindings import bindings
from amlspec.command import program_of, words
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.wording import closest
from speccheck.parsers import Flag, NoParserError, read_flags
from speccheck.repo import Repo, Spec


@dataclass(frozen=True)
class Given:
    """A flag as the command gives it: with a value or without, certain or inside `$[[ ]]`."""

    name: str
    value: str | None
    optional: bool


def check_commands(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Code folder, script and flags of a command component or command job."""
    if spec.kind not in (Kind.COMPONENT, Kind.COMMAND_JOB):
        return
    code, command, includes = (spec.data.get(key) for key in ("code", "command", "additional_includes"))
    if includes and spec.kind == Kind.COMPONENT:
        yield from _check_included(repo, spec, code, includes, command)
    elif isinstance(code, str) and "://" not in code and not code.startswith(("azureml:", "git+")):
        folder = (spec.folder / code).resolve()
        if folder.is_file():
            return  # Azure ML takes one file as the whole snapshot, too.
        if not folder.is_dir():
            message = f"code folder '{code}' does not exist: give a path relative to this file"
            yield spec.doc.find(message, "code", rule="code")
        elif isinstance(command, str):
            yield from _check_script(repo, spec, folder, command)
    elif code is None and isinstance(command, str):
        program = program_of(command)
        if program and program.script is None and not _installed(program.module):
            message = f"no code: the command runs {program.module}, add its package to additional_includes"
            yield spec.doc.find(message, "command")


def _check_included(repo: Repo, spec: Spec, code: Any, includes: Any, command: Any) -> Iterator[Finding]:
    """Code with additional includes, which azure-ai-ml merges into one folder, each under its own last name."""
    root = (spec.folder / code).resolve() if isinstance(code, str) else None
    if not isinstance(includes, list) or not all(isinstance(include, str) for include in includes):
        yield spec.doc.find(
            "additional_includes is not a list of paths: write one path a line", "additional_includes", rule="code"
        )
        return
    wrong = [item for index, path in enumerate(includes) if (item := _wrong_include(spec, root, index, path))]
    if root is not None and not root.is_dir():
        message = f"code folder '{code}' does not exist: give a path relative to this file"
        wrong.append(spec.doc.find(message, "code", rule="code"))
    yield from wrong
    if not wrong and isinstance(command, str):
        with tempfile.TemporaryDirectory() as folder:
            for path in [*(root.iterdir() if root else ()), *((spec.folder / each).resolve() for each in includes)]:
                if not (Path(folder) / path.name).exists():
                    (Path(folder) / path.name).symlink_to(path)
            yield from _check_script(repo, spec, Path(folder), command)


def _wrong_include(spec: Spec, code: Path | None, index: int, include: str) -> Finding | None:
    """What azure-ai-ml refuses, too."""
    path = (spec.folder / include).resolve()
    if not path.exists():
        message = f"additional include '{include}' does not exist: give a path relative to this file"
    elif code is not None and (code / path.name).exists():
        message = f"additional include '{include}': {path.name} is in the code folder already: remove one of the two"
    else:
        return None
    return spec.doc.find(message, "additional_includes", index, rule="code")


def _installed(module: str) -> bool:
    """Whether the module's package comes from the environment, such as pip. Nothing is imported."""
    top = module.split(".", maxsplit=1)[0]
    spec = importlib.util.find_spec(top) if top.isidentifier() else None
    return (spec is not None and "site-packages" in str(spec.origin)) or top in ("pip", "venv", "zipfile", "json")


def _check_script(repo: Repo, spec: Spec, folder: Path, command: str) -> Iterator[Finding]:
    program = program_of(command)
    if program is None:
        return
    wanted, path = program.script or program.module, folder / f"{program.module.replace('.', '/')}.py"
    if program.script is None and (path.with_suffix("") / "__main__.py").is_file():
        path = path.with_suffix("") / "__main__.py"
    if path.is_file():
        yield from _check_flags(spec, folder, program.module, words(command))
    elif not _installed(program.module):
        fix = f"{repo.shown(path.resolve())} does not exist: create it or correct the name"
        if spec.data.get("additional_includes") and not (folder / wanted.split(".", maxsplit=1)[0]).exists():
            fix = "it is not in the snapshot: add its package to additional_includes"
        message = f"the command runs {wanted}, but {fix}"
        yield spec.doc.find_text(message, wanted, "command")


def _check_flags(spec: Spec, folder: Path, module: str, given_words: list[str]) -> Iterator[Finding]:
    try:
        flags = read_flags(folder, module)
    except NoParserError as error:
        yield spec.doc.find_text(f"flags of {module} cannot be checked: {error}", module, "command")
        return
    known = {name: flag for flag in flags for name in flag.names}
    given = list(_given(given_words))
    for item in given:
        yield from _check_given(spec, module, item, known)
    certain = {item.name for item in given if not item.optional}
    for flag in flags:
        if flag.required and not certain & set(flag.names):
            message = f"{module} requires {flag.names[0]}, the command does not always give it: add it outside $[[ ]]"
            yield spec.doc.find(message, "command")


def _given(given: list[str]) -> Iterator[Given]:
    optional = False
    for index, word in enumerate(given):
        opens, text = word.startswith("$[["), word.removeprefix("$[[")
        optional = optional or opens
        if text.startswith("--"):
            name, equals, value = text.removesuffix("]]").partition("=")
            after = given[index + 1] if index + 1 < len(given) else ""
            follows = not text.endswith("]]") and after and not after.startswith(("--", "$[["))
            yield Given(name, value if equals else after if follows else None, optional)
        if "]]" in word:
            optional = False


def _check_given(spec: Spec, module: str, item: Given, known: dict[str, Flag]) -> Iterator[Finding]:
    flag = known.get(item.name)
    if flag is None:
        message = f"{module} has no flag {item.name}: {closest(item.name, [n for n in known if n.startswith('--')])}"
        yield spec.doc.find_text(message, item.name, "command")
    elif flag.values and item.value is None:
        yield spec.doc.find_text(f"{item.name} takes a value: add one after it", item.name, "command")
    elif not flag.values and item.value is not None:
        yield spec.doc.find_text(f"{item.name} is a switch and takes no value: remove it", item.name, "command")
    elif flag.choices and item.value:
        yield from _check_choices(spec, item, flag)


def _check_choices(spec: Spec, item: Given, flag: Flag) -> Iterator[Finding]:
    """An input's enum must not offer what the script refuses."""
    for binding in bindings(item.value or ""):
        if binding.scope != "inputs" or len(binding.parts) < 2:
            continue
        declared = spec.doc.get("inputs", binding.parts[1], "enum")
        extra = [str(v) for v in declared if str(v) not in (flag.choices or ())] if isinstance(declared, list) else []
        if extra:
            message = (
                f"enum offers {', '.join(extra)}, {item.name} takes only {', '.join(flag.choices or ())}: remove it"
            )
            yield spec.doc.find(message, "inputs", binding.parts[1], "enum")
