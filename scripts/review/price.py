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
        spent, will = _spent(settings, before, change.base), _spent(settings, after, change.head)
    except UserError as error:
        return [f"not reckoned: {error}"]
    said = table.difference(spent, will)
    return [f"this change: {said} (reckoned by ml/estimate.yml)"] if said else []


def _spent(settings: Settings, read: Read, side: Reader) -> tuple[float, float]:
    """(US dollars a month, seconds of a training run), by the prices of the change on either side."""
    here = settings.model_copy(update={"usual": places.of_prod(read, settings.usual)})
    schedules = sorted(path for path in side.assets.tree.files if _is_schedule(path))
    return cost.dollars_a_month(here, read, schedules), cost.of_a_run(here, read, TRAIN).seconds


def _is_schedule(path: str) -> bool:
    return path.startswith(f"{cost.SCHEDULES}/") and path.endswith(".yml")


def _read(side: Reader) -> Read:
    tree = side.assets.tree
    return lambda path: tree.read(path) if path in tree.files else None
