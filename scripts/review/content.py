"""What Azure ML would hash of an asset: its spec without the version, and the bytes of every file that goes with it."""

import posixpath
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

import yaml

from amlspec import includes
from amlspec.kinds import Kind
from amlspec.snapshot import kept
from review.assets import Asset, Assets
from review.slots import digest, local_files, without

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Of an environment, data asset or model only this is its content; of a component all but the version is.
_CONTENT = {
    Kind.ENVIRONMENT: ("image", "build", "inference_config", "os_type", "conda_file"),
    Kind.DATA: ("type", "path"),
    Kind.MODEL: ("type", "path", "flavors"),
}

# What a component with additional includes carries as one folder.
_MERGED = (("code",), ("additional_includes",))


@dataclass(frozen=True)
class Content:
    """`fields` of the spec that count, and `files`: repo path -> (path in its snapshot, blob id)."""

    fields: dict[str, Any]
    files: dict[str, tuple[str, str]]

    def digest(self) -> str:
        """SHA-256 over both; where a snapshot lies in the repo does not count."""
        return digest([self.fields, sorted(self.files.values())])


class Reader:
    """Contents of the assets of one tree."""

    def __init__(self, assets: Assets) -> None:
        self.assets, self._tree = assets, assets.tree
        self._sorted = sorted(self._tree.files)
        self._snapshots: dict[str, dict[str, tuple[str, str]]] = {}
        self._contents: dict[tuple[str, tuple[Any, ...]], Content] = {}
        self._open: set[str] = set()

    def content(self, asset: Asset) -> Content:
        """Content of an asset, resolved once."""
        key = (asset.path, asset.where)
        if key not in self._contents:
            self._open.add(asset.path)
            self._contents[key] = self._resolve(asset)
            self._open.discard(asset.path)
        return self._contents[key]

    def _resolve(self, asset: Asset) -> Content:
        data = asset.data
        keep = _CONTENT.get(asset.kind)
        fields = {k: v for k, v in data.items() if (k in keep if keep else k != "version")}
        files: dict[str, tuple[str, str]] = {}
        for slot, reference in local_files(asset.data):
            if slot in _MERGED and self._includes(asset):
                continue
            snapshot = self.snapshot(asset.resolve(reference))
            for path, (inside, blob) in snapshot.items():
                files[path] = (f"{'.'.join(slot)}/{inside}", self._conda(path) if slot[-1] == "conda_file" else blob)
            # What the path leads to is counted in its stead.
            fields = without(fields, slot) if snapshot else fields
        if self._includes(asset):
            fields = {key: value for key, value in fields.items() if (key,) not in _MERGED}
            merged = self._merged(asset).items()
            files |= {path: (f"code/{inside}", self._tree.files[path]) for inside, path in merged}
        if asset.kind == Kind.PIPELINE_COMPONENT:
            fields["jobs"] = {name: self._job(asset, job) for name, job in asset.doc.table("jobs").items()}
        return Content(fields, files)

    @staticmethod
    def _includes(asset: Asset) -> list[str]:
        """Additional includes of a component, as written."""
        given = asset.data.get("additional_includes") if asset.kind == Kind.COMPONENT else None
        return [path for path in given if isinstance(path, str)] if isinstance(given, list) else []

    def _merged(self, asset: Asset) -> dict[str, str]:
        """Name in the snapshot -> repo path, of code and additional includes together."""
        code = asset.data.get("code")
        place = asset.resolve(code) if isinstance(code, str) else None
        paths = [asset.resolve(path) for path in self._includes(asset)]
        source = includes.Source(self._sorted, lambda path: self._tree.read(path) if path in self._tree.files else None)
        return includes.members(source, posixpath.dirname(asset.path), place, paths)

    def _job(self, asset: Asset, job: Any) -> Any:
        """A node of a pipeline component with the content of its own component in the place of the path."""
        if not isinstance(job, dict) or not isinstance(job.get("component"), str):
            return job
        child = self.assets.at(asset.resolve(job["component"]))
        # Components that run each other are not valid ones; they must not end the check.
        if child is None or child.path in self._open:
            return job
        return {**job, "component": self.content(child).digest()}

    def _conda(self, path: str) -> str:
        """Azure ML gets the data of a conda file, sorted, and never its comments."""
        try:
            return digest(yaml.load(self._tree.read(path), Loader=_Loader))  # noqa: S506 - both loaders are safe ones
        except yaml.YAMLError:
            return self._tree.files[path]

    def snapshot(self, place: str) -> dict[str, tuple[str, str]]:
        """Repo path -> (path inside, blob) of a file, or of a folder without what its ignore file names."""
        if place not in self._snapshots:
            self._snapshots[place] = dict(self._members(place))
        return self._snapshots[place]

    def _members(self, place: str) -> Iterator[tuple[str, tuple[str, str]]]:
        files = self._tree.files
        if place in files:
            yield place, (posixpath.basename(place), files[place])
            return
        prefix = "" if place == "." else f"{place}/"
        start = bisect_left(self._sorted, prefix)
        below = takewhile(lambda path: path.startswith(prefix), islice(self._sorted, start, None))
        inside = [path.removeprefix(prefix) for path in below]
        for name in kept(inside, lambda name: self._tree.read(prefix + name) if prefix + name in files else None):
            yield prefix + name, (name, files[prefix + name])
