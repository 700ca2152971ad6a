"""Settings of snowflake-connector-python that do other than their names say, in modules that speak to Snowflake."""

import ast
from collections.abc import Iterator

from sqlcheck.rules import Rule
from sqlcheck.texts import speaks_to_snowflake

_API = "https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api"
_OCSP = "https://docs.snowflake.com/en/user-guide/ocsp"
MIN_LOGIN_SECONDS = 60
NETWORK_TIMEOUT = Rule(
    "network-timeout",
    "the connector cancels each query that runs longer than network_timeout (4.8.1, cursor.py): leave it out",
    _API,
)
LOGIN_TIMEOUT = Rule(
    "login-timeout",
    f"a first sign-in through DNS, OCSP and a private endpoint may take longer: at least {MIN_LOGIN_SECONDS} s",
    _API,
)
NO_OCSP = Rule("no-ocsp", "a revoked certificate would be taken: leave the check on", _OCSP)
_OFF = {"insecure_mode", "disable_ocsp_checks"}


def check(tree: ast.Module) -> Iterator[tuple[int, Rule]]:
    """Line (from 1) and rule of each fault in a module."""
    if not speaks_to_snowflake(tree):
        return
    numbers = _numbers(tree)
    for node in ast.walk(tree):
        for name, value in _settings(node):
            if name == "network_timeout":
                yield value.lineno, NETWORK_TIMEOUT
            elif name == "login_timeout" and _number(value, numbers) < MIN_LOGIN_SECONDS:
                yield value.lineno, LOGIN_TIMEOUT
            elif name in _OFF and isinstance(value, ast.Constant) and value.value is True:
                yield value.lineno, NO_OCSP


def _settings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Keyword arguments, and dictionary entries that may become some."""
    if isinstance(node, ast.Call):
        yield from ((word.arg, word.value) for word in node.keywords if word.arg)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def _numbers(tree: ast.Module) -> dict[str, float]:
    """Module constants that are numbers."""
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int | float)
    }


def _number(value: ast.expr, numbers: dict[str, float]) -> float:
    """What `value` is; one that cannot be seen counts as enough."""
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
        return value.value
    return numbers.get(value.id, float("inf")) if isinstance(value, ast.Name) else float("inf")
