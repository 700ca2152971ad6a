"""Which files of a snapshot a step's module imports: a changed file that it does not import changes its hash only."""

import ast
from collections.abc import Iterator

from review.git import Tree


class Modules:
    """Imports inside one code folder of a tree."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree, self._prefix = tree, "" if folder in (".", "") else f"{folder}/"
        self._imports: dict[str, frozenset[str]] = {}

    def reached(self, module: str) -> frozenset[str]:
        """Repo paths of a module and of all that it imports, transitively. Empty where the module is not there."""
        start = self._file(module)
        if start is None:
            return frozenset()
        seen, queue = {start}, [start]
        while queue:
            for path in self._imported(queue.pop()):
                if path not in seen:
                    seen.add(path)
                    queue.append(path)
        return frozenset(seen)

    def _file(self, module: str) -> str | None:
        stem = self._prefix + module.replace(".", "/")
        return next((p for p in (f"{stem}.py", f"{stem}/__init__.py") if p in self._tree.files), None)

    def _imported(self, path: str) -> frozenset[str]:
        if path not in self._imports:
            self._imports[path] = frozenset(self._find_imports(path))
        return self._imports[path]

    def _find_imports(self, path: str) -> Iterator[str]:
        parts = path.removeprefix(self._prefix).removesuffix(".py").removesuffix("/__init__").split("/")
        for depth in range(1, len(parts)):
            yield from self._existing(".".join(parts[:depth]))
        try:
            tree = ast.parse(self._tree.read(path))
        except SyntaxError:
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._existing(alias.name)
            elif isinstance(node, ast.ImportFrom):
                package = parts[: len(parts) - node.level] if node.level else []
                base = ".".join([*package, *([node.module] if node.module else [])])
                for name in (base, *(f"{base}.{alias.name}" for alias in node.names)):
                    yield from self._existing(name)

    def _existing(self, module: str) -> Iterator[str]:
        path = self._file(module)
        if path is not None:
            yield path
