"""Who uses what: references between specs, by name and by path."""

import posixpath
from collections.abc import Iterator

from amlspec.document import Key
from amlspec.kinds import Kind
from amlspec.references import PREFIX, Reference
from review.assets import Asset, Assets

# Kinds that a reference of the form azureml:<name> can mean, by the key that it stands under.
_BY_KEY: dict[str, tuple[Kind, ...]] = {
    "environment": (Kind.ENVIRONMENT,),
    "component": (Kind.COMPONENT, Kind.PIPELINE_COMPONENT),
    "trial": (Kind.COMPONENT,),
    "model": (Kind.MODEL,),
    "compute": (Kind.KUBERNETES_COMPUTE, Kind.COMPUTE),
    "default_compute": (Kind.KUBERNETES_COMPUTE, Kind.COMPUTE),
    "connection": (Kind.CONNECTION,),
    "path": (Kind.DATA, Kind.IMPORT, Kind.MODEL),
}
_BY_NAME = {"endpoint_name": Kind.ENDPOINT, "instance_type": Kind.INSTANCE_TYPE}
_PATH_KEYS = frozenset(
    {"component", "trial", "create_job", "import_data", "job", "environment", "path", "code", "conda_file", "model"}
)


def references(asset: Asset) -> Iterator[tuple[tuple[Key, ...], str]]:
    """(key path, text) of every string that may refer to something."""
    for keys, text in asset.doc.strings(*asset.where):
        key = str(keys[-1]) if keys else ""
        if key in _PATH_KEYS or key in _BY_NAME or text.startswith(PREFIX):
            yield keys, text


def targets(assets: Assets, asset: Asset, keys: tuple[Key, ...], text: str) -> list[Asset]:
    """Assets that one reference leads to."""
    key = str(keys[-1])
    if key in _BY_NAME:
        return assets.named(_BY_NAME[key], text)
    if (reference := Reference.parse(text)) is not None:
        candidates = [other for kind in _BY_KEY.get(key, ()) for other in assets.named(kind, reference.name)]
        exact = [other for other in candidates if other.version == reference.version]
        return exact or candidates
    target = assets.at(asset.resolve(text)) if key in _PATH_KEYS else None
    return [target] if target is not None and target is not asset else []


def means(keys: tuple[Key, ...], kind: Kind) -> bool:
    """Whether azureml:<name> at a key can mean an asset of this kind."""
    return kind in _BY_KEY.get(str(keys[-1]), ())


def uses_of(assets: Assets, gone: Asset) -> Iterator[tuple[Asset, tuple[Key, ...]]]:
    """(user, key path) of every reference that leads to an asset which is no more."""
    replaced = assets.at(gone.path) is not None
    for asset in assets.items:
        for keys, text in references(asset):
            key, reference = str(keys[-1]), Reference.parse(text)
            by_name = reference is not None and reference.name == gone.name and means(keys, gone.kind)
            by_path = not replaced and reference is None and key in _PATH_KEYS and asset.resolve(text) == gone.path
            if by_name or by_path:
                yield asset, keys


def local_paths(asset: Asset) -> Iterator[str]:
    """Repo paths, files or folders, that a spec names."""
    for keys, text in references(asset):
        if str(keys[-1]) in _PATH_KEYS and "://" not in text and not text.startswith(PREFIX):
            path = asset.resolve(text)
            if not path.startswith("..") and path != posixpath.curdir:
                yield path
