"""What the trials of a sweep try: the distributions of its search space, and grid, random, Sobol or Bayesian sampling.

Distributions as Microsoft's "CLI (v2) sweep job YAML schema" has them. Bayesian sampling is optuna's TPE here; which
method the service has, it does not say. It "only supports choice, uniform, and quniform" ("Tune hyperparameters") and
takes no early termination (azureml-train-core, BayesianParameterSampling).
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol

from amlspec.errors import UserError
from amlspec.schema import Spec

Space = Mapping[str, Any]
Drawn = dict[str, Any]

_BOUNDS: dict[str, tuple[str, ...]] = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
}
_BAYESIAN = ("choice", "uniform", "quniform")


class Algorithm(Spec):
    """`sampling_algorithm` of a sweep."""

    type: str
    seed: int | None = None
    rule: Literal["random", "sobol"] = "random"
    logbase: str | float | None = None


class Sampler(Protocol):
    """Gives each trial its values, in the order of their start, and may learn from those that have ended."""

    def draw(self) -> Drawn | None:
        """The next trial's values; None where there are no more."""
        ...

    def learn(self, trial: int, metric: float | None) -> None:
        """What a trial came to; None where it failed or was ended."""
        ...


def check(spaces: Mapping[str, Space], algorithm: Algorithm, where: Callable[..., str]) -> None:
    """Raises UserError for what is not well written or not imitated; `where` gives a place in the file."""
    for name, space in spaces.items():
        _check_space(where("search_space", name), name, space)
    place = where("sampling_algorithm")
    if algorithm.logbase is not None:
        raise UserError(f"{place}: sampling_algorithm.logbase is not imitated by the local engine")
    if algorithm.type not in ("grid", "random", "bayesian"):
        raise UserError(f"{place}: sampling_algorithm {algorithm.type} is not one of random, grid, bayesian")
    takes = {"grid": ("choice",), "bayesian": _BAYESIAN}.get(algorithm.type, tuple(_BOUNDS))
    for name, space in spaces.items():
        if space["type"] not in takes:
            place, one_of = where("search_space", name, "type"), ", ".join(takes)
            raise UserError(
                f"{place}: search_space.{name}: {algorithm.type} sampling takes type {one_of} only, not {space['type']}"
            )


def sampler(spec: Mapping[str, Any]) -> Sampler:
    """The sampler of a generated spec: its `space`, `algorithm`, `count` and `goal`."""
    algorithm, count = Algorithm.model_validate(spec["algorithm"]), int(spec["count"])
    if algorithm.type == "bayesian":
        return _Bayesian(spec["space"], count, spec["goal"], algorithm.seed)
    rows = _grid(spec["space"]) if algorithm.type == "grid" else _random(spec["space"], count, algorithm)
    return _Drawn(itertools.islice(rows, count))


class _Drawn:
    """Values that do not depend on what came of others."""

    def __init__(self, rows: Iterator[Drawn]) -> None:
        self._rows = rows

    def draw(self) -> Drawn | None:
        return next(self._rows, None)

    def learn(self, trial: int, metric: float | None) -> None:
        """Nothing is learned."""


class _Bayesian:
    def __init__(self, spaces: Mapping[str, Space], count: int, goal: Any, seed: int | None) -> None:
        import optuna  # noqa: PLC0415 - half a second

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # constant_liar: trials that still run count as bad, so that those beside them try something else.
        method = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction=goal, sampler=method)
        self._spaces, self._left, self._asked = spaces, count, list[Any]()

    def draw(self) -> Drawn | None:
        if not self._left:
            return None
        self._left -= 1
        asked = self._study.ask()
        self._asked.append(asked)
        return {name: _suggested(asked, name, space) for name, space in self._spaces.items()}

    def learn(self, trial: int, metric: float | None) -> None:
        from optuna.trial import TrialState  # noqa: PLC0415

        if metric is None:
            self._study.tell(self._asked[trial], state=TrialState.FAIL)
        else:
            self._study.tell(self._asked[trial], metric)


def _suggested(asked: Any, name: str, space: Space) -> Any:
    if space["type"] == "choice":
        # By its place: optuna takes plain values only, the spec any.
        return space["values"][asked.suggest_categorical(name, list(range(len(space["values"]))))]
    value = asked.suggest_float(name, space["min_value"], space["max_value"])
    return _quantised(value, space)


def _check_space(where: str, name: str, space: Space) -> None:
    kind = str(space.get("type"))
    if kind not in _BOUNDS:
        raise UserError(f"{where}: search_space.{name}: type {kind} is not one of {', '.join(_BOUNDS)}")
    if {*space} != {"type", *_BOUNDS[kind]}:
        raise UserError(f"{where}: search_space.{name}: {kind} has the fields {', '.join(_BOUNDS[kind])}")
    if kind == "choice" and not (isinstance(space["values"], list) and space["values"]):
        raise UserError(f"{where}: search_space.{name}: values is not a list of one or more")
    numbers = [] if kind == "choice" else [space[key] for key in _BOUNDS[kind]]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        raise UserError(f"{where}: search_space.{name}: {', '.join(_BOUNDS[kind])} are numbers")
    if "min_value" in space and space["min_value"] > space["max_value"]:
        raise UserError(f"{where}: search_space.{name}: min_value is above max_value")


def _grid(spaces: Mapping[str, Space]) -> Iterator[Drawn]:
    for row in itertools.product(*(space["values"] for space in spaces.values())):
        yield dict(zip(spaces, row, strict=True))


def _random(spaces: Mapping[str, Space], count: int, algorithm: Algorithm) -> Iterator[Drawn]:
    names = list(spaces)
    if algorithm.rule == "sobol":
        from scipy.stats import qmc  # noqa: PLC0415 - half a second

        method = qmc.Sobol(len(names), seed=algorithm.seed)
        points = method.random_base2(math.ceil(math.log2(count)) if count > 1 else 0)[:count].tolist()
    else:
        source = random.Random(algorithm.seed)
        points = ([source.random() for _ in names] for _ in range(count))
    for row in points:
        yield {name: at(spaces[name], point) for name, point in zip(names, row, strict=True)}


def at(space: Space, point: float) -> Any:
    """The value of a distribution at a point of [0, 1): its quantile."""
    kind = str(space["type"])
    if kind == "choice":
        return space["values"][int(point * len(space["values"]))]
    if kind == "randint":  # of [0, upper)
        return int(point * int(space["upper"]))
    if kind.endswith("uniform"):
        value = space["min_value"] + point * (space["max_value"] - space["min_value"])
    else:
        from statistics import NormalDist  # noqa: PLC0415

        value = NormalDist(space["mu"], space["sigma"]).inv_cdf(min(max(point, 1e-12), 1 - 1e-12))
    # Bounds, mu and sigma of a logarithmic one are those of the logarithm.
    return _quantised(math.exp(value) if "log" in kind else value, space)


def _quantised(value: float, space: Space) -> float:
    return round(value / space["q"]) * space["q"] if "q" in space else value
