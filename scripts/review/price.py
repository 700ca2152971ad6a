"""What a change costs: its schedules and its training run against those of the base, at the usual size."""

from amlspec.errors import UserError
from estimate import cost, places, table
from estimate.settings import Read, Settings, load
from review.change import Change
from review.content import Reader

TRAIN = "ml/pipelines/train.yml"


def lines(change: Change) -> list[str]:
    """`this change: +0.42 USD a month, 38 s longer a training run`; nothing where it changes neither."""
    before, after = (_read(side) for side in (change.base, change.head))
    try:
        settings = load(after)
        if settings is None:
            return []
        schedules = [
            sorted(p for p in side.assets.tree.files if _is_schedule(p)) for side in (change.base, change.head)
        ]
        old, new = _of_prod(settings, before), _of_prod(settings, after)
        spent = cost.Cost(
            cost.of_a_run(old, before, TRAIN).seconds, cost.of_a_month(old, before, schedules[0]).dollars, 0.0
        )
        will = cost.Cost(
            cost.of_a_run(new, after, TRAIN).seconds, cost.of_a_month(new, after, schedules[1]).dollars, 0.0
        )
    except UserError as error:
        return [f"not reckoned: {error}"]
    said = table.difference(spent, will)
    return [f"this change: {said} (reckoned by ml/estimate.yml)"] if said else []


def _of_prod(settings: Settings, read: Read) -> Settings:
    return settings.model_copy(update={"usual": places.of_prod(read, settings.usual)})


def _is_schedule(path: str) -> bool:
    return path.startswith(f"{cost.SCHEDULES}/") and path.endswith(".yml")


def _read(side: Reader) -> Read:
    tree = side.assets.tree
    return lambda path: tree.read(path) if path in tree.files else None
