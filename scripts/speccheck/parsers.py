"""Flags of a script, read from its `build_parser()`.

The source is parsed, not imported: a step imports pandas and scikit-learn, which costs seconds, and the check must also
run where they are missing. Where the source is not plain (a loop over flags, a helper that adds them), the module is
imported in a process of its own and its parser asked.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Flag:
    """One option of a parser. `values` is False for a switch such as store_true."""

    names: tuple[str, ...]
    required: bool
    values: bool
    choices: tuple[str, ...] | None = None


class NoParserError(ValueError):
    """The module has no build_parser() that can be read; the message says why."""


_SWITCHES = {"store_true", "store_false", "store_const", "append_const", "count", "help", "version"}
_ASK = """
import importlib, json, sys
parser = importlib.import_module(sys.argv[1]).build_parser()
print(json.dumps([{"names": a.option_strings, "required": a.required, "values": a.nargs != 0,
                   "choices": [str(c) for c in a.choices] if a.choices is not None else None}
                  for a in parser._actions if a.option_strings]))
"""


class _NotPlainError(Exception):
    """The source does something that only running it shows."""


def read_flags(code: Path, module: str) -> tuple[Flag, ...]:
    """Flags of `module` below the snapshot folder. Raises NoParserError."""
    path = code.joinpath(*module.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise NoParserError(f"{path.name} does not parse, line {error.lineno}: {error.msg}") from error
    function = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "build_parser"), None)
    if function is None:
        return _ask(code, module) if _imports_parser(tree) else _missing(path)
    try:
        return tuple(_plain_flags(function, {**_imported_constants(code, tree), **_constants(tree)}))
    except _NotPlainError:
        return _ask(code, module)


def _missing(path: Path) -> tuple[Flag, ...]:
    raise NoParserError(f"{path.name} has no build_parser(): add one that returns its argparse.ArgumentParser")


def _imports_parser(tree: ast.Module) -> bool:
    froms = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return any((alias.asname or alias.name) == "build_parser" for node in froms for alias in node.names)


def _plain_flags(function: ast.FunctionDef, constants: dict[str, ast.expr]) -> Iterator[Flag]:
    """Flags of straight-line code. Raises _NotPlainError for anything else."""
    if any(isinstance(node, (ast.For, ast.While, ast.If, ast.With, ast.Try)) for node in ast.walk(function)):
        raise _NotPlainError
    names = _parser_names(function)
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        if any(isinstance(arg, ast.Name) and arg.id in names for arg in call.args):
            raise _NotPlainError
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method == "add_subparsers" or any(keyword.arg == "parents" for keyword in call.keywords):
            raise _NotPlainError
        if method == "add_argument":
            yield from _flag(call, constants)


def _parser_names(function: ast.FunctionDef) -> set[str]:
    assigned = (
        node for node in ast.walk(function) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    )
    return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Values of the module's own names that are set once, such as GRAINS = ("store", "product")."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and len(node.targets) == 1]
    pairs = [(node.targets[0].id, node.value) for node in assigned if isinstance(node.targets[0], ast.Name)]
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _imported_constants(code: Path, tree: ast.Module) -> dict[str, ast.expr]:
    """The same for names that come from a module of the same snapshot, such as `from demand.grain import GRAINS`."""
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            path = code.joinpath(*node.module.split(".")).with_suffix(".py")
            names = {alias.name: alias.asname or alias.name for alias in node.names if alias.name.isupper()}
            if names and path.is_file():
                known = _constants(ast.parse(path.read_text(encoding="utf-8")))
                constants |= {here: known[there] for there, here in names.items() if there in known}
    return constants


def _flag(call: ast.Call, constants: dict[str, ast.expr]) -> Iterator[Flag]:
    names = tuple(_literal(arg) for arg in call.args)
    if not all(isinstance(name, str) for name in names) or any(k.arg is None for k in call.keywords):
        raise _NotPlainError
    given = {str(k.arg): k.value for k in call.keywords if k.arg in ("required", "action", "nargs", "choices")}
    options = {k: constants.get(v.id, v) if isinstance(v, ast.Name) else v for k, v in given.items()}
    action = _literal(options["action"]) if _is_text(options.get("action")) else None
    choices = _literal(options["choices"]) if "choices" in options else None
    if all(str(name).startswith("-") for name in names) and names:
        yield Flag(
            tuple(str(name) for name in names),
            bool(_literal(options["required"])) if "required" in options else False,
            action not in _SWITCHES and not _is_class(options.get("action")),
            tuple(str(choice) for choice in choices) if isinstance(choices, (list, tuple)) else None,
        )


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_class(node: ast.expr | None) -> bool:
    """`argparse.BooleanOptionalAction` and its like: a switch with a --no- twin, which only running shows."""
    if node is not None and not _is_text(node):
        raise _NotPlainError
    return False


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise _NotPlainError from error


def _ask(code: Path, module: str) -> tuple[Flag, ...]:
    """Import the module with only its snapshot on the path, and list its parser's options."""
    environment = {**os.environ, "PYTHONPATH": str(code), "LOCALML_STEP": "speccheck"}
    command = [sys.executable, "-c", _ASK, module]
    done = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise NoParserError(f"build_parser() of {module} does not run: {last}")
    options = json.loads(done.stdout.splitlines()[-1])
    return tuple(
        Flag(tuple(f["names"]), f["required"], f["values"], tuple(f["choices"]) if f["choices"] else None)
        for f in options
    )
