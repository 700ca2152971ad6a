"""What a change reaches: from a file to the assets that hold it, to what uses those, and so on."""

from collections import defaultdict, deque
from collections.abc import Iterable

from amlspec.kinds import Kind
from amlspec.references import Reference
from review.assets import Asset
from review.content import Reader
from review.references import local_paths, references, targets


class Impact:
    """Uses of one tree, in both directions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._users: dict[int, list[Asset]] = defaultdict(list)
        self._assets = {id(asset): asset for asset in reader.assets.items}
        makers = _data_makers(reader.assets.items)
        for asset in reader.assets.items:
            for keys, text in references(asset):
                destinations = targets(reader.assets, asset, keys, text)
                reference = Reference.parse(text)
                if reference is not None and not destinations and str(keys[-1]) == "path":
                    destinations = makers.get(reference.name, [])
                for used in destinations:
                    # A deployment names its endpoint, yet it is the endpoint that serves with the deployment.
                    turned = str(keys[-1]) == "endpoint_name"
                    self._note(*((asset, used) if turned else (used, asset)))

    def _note(self, used: Asset, user: Asset) -> None:
        if used is not user and user not in self._users[id(used)]:
            self._users[id(used)].append(user)

    def users(self, asset: Asset) -> list[Asset]:
        """Everything that uses an asset, directly or through others, nearest first."""
        seen, queue, users = {id(asset)}, deque([asset]), []
        while queue:
            for user in self._users.get(id(queue.popleft()), []):
                if id(user) not in seen:
                    seen.add(id(user))
                    users.append(user)
                    queue.append(user)
        return users

    def holders(self, paths: Iterable[str]) -> dict[str, list[Asset]]:
        """Changed path -> assets that hold it: by their snapshot, or by naming it as an input."""
        wanted = set(paths)
        holders: dict[str, list[Asset]] = {path: [] for path in sorted(wanted)}
        for asset in self._reader.assets.items:
            held = set(self._reader.content(asset).files) if asset.kind != Kind.CONTRACT else set()
            held |= set(local_paths(asset))
            for path in held & wanted:
                holders[path].append(asset)
        return holders


def _data_makers(assets: list[Asset]) -> dict[str, list[Asset]]:
    """Data asset -> pipelines whose named output makes it."""
    makers: dict[str, list[Asset]] = defaultdict(list)
    for asset in assets:
        if asset.kind == Kind.PIPELINE:
            for output in asset.doc.table("outputs").values():
                if isinstance(output, dict) and isinstance(output.get("name"), str):
                    makers[output["name"]].append(asset)
    return makers
