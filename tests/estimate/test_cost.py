"""What a run takes: lines fitted to timings, nodes side by side, prices, and what is unknown."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from amlspec.errors import UserError
from estimate import cost, pipelines, places, table, timings
from estimate.settings import FILE, Node, Sampled, Settings, Shape, Size, load, of_folder
from estimate.timings import Timing, fit

SETTINGS = load(of_folder())
assert SETTINGS is not None
SIZE = Size(220_000, 2_400)


def settings() -> Settings:
    assert SETTINGS is not None
    return SETTINGS


@given_settings(deadline=None)  # the first one imports SciPy
@given(st.floats(0, 50), st.floats(0.01, 50), st.integers(0, 2**31))
def test_a_line_through_small_sizes_reaches_far_beyond_them(fixed: float, slope: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    points = [(x, (fixed + slope * x) * random.uniform(0.98, 1.02)) for x in (1.0, 2.0, 4.0, 8.0)]
    a, b = fit(points)
    assert a >= 0 and b >= 0
    assert a + b * 8 == pytest.approx(fixed + slope * 8, rel=0.1)


def test_timings_of_sizes_far_apart_give_a_component_its_own_line() -> None:
    node = Node("a", "aggregate_sales", {})
    runs = [Timing(node, 2 + 3 * millions, Size(int(millions * 1e6), 1)) for millions in (1, 2, 8)]
    here, counts = timings.calibrated(settings(), runs)
    shape = here.components["aggregate_sales"]
    assert [shape.seconds(Size(int(millions * 1e6), 1), {}) for millions in (1, 50)] == pytest.approx([5, 152])
    assert counts["aggregate_sales"] == 3 and counts["prepare_features"] == 0


def test_timings_of_one_size_scale_what_is_known_and_what_never_ran_here() -> None:
    twice = [Timing(NODES[0], 2 * settings().components["aggregate_sales"].seconds(SIZE, {}), SIZE) for _ in range(3)]
    here, _ = timings.calibrated(settings(), twice)
    for name in ("aggregate_sales", "train_forest"):
        before, after = settings().components[name], here.components[name]
        assert after.fixed == pytest.approx(2 * before.fixed)


def test_beyond_the_series_that_are_handed_on_a_component_takes_no_longer() -> None:
    shape = Shape(fixed=2.0, per_million_rows=1.0, per_million_series_months=10.0, max_series_months=600_000)
    assert shape.seconds(Size(0, 300_000), {}) == pytest.approx(5.0)
    assert shape.seconds(Size(0, 600_000), {}) == shape.seconds(Size(0, 12_000_000), {}) == pytest.approx(8.0)
    assert shape.seconds(Size(10**6, 12_000_000), {}) == pytest.approx(9.0)


def test_what_a_component_samples_does_not_grow_and_its_trees_do() -> None:
    shape = Shape(fixed=1, sampled=Sampled(seconds=20, at=20_000, times={"n_estimators": 100}))
    assert shape.seconds(Size(1, 10_000), {}) == 11
    assert shape.seconds(Size(1, 5_000_000), {}) == 21
    assert shape.seconds(Size(1, 10_000), {"n_estimators": 300}) == 31


NODES = [
    Node("a", "aggregate_sales", {}),
    Node("b", "aggregate_sales", {}, frozenset("a")),
    Node("c", "aggregate_sales", {}, frozenset("a")),
    Node("d", "aggregate_sales", {}, frozenset("bc")),
]


@pytest.mark.parametrize(("machines", "end", "used"), [(1, 40, 1), (2, 30, 2), (9, 30, 2)])
def test_nodes_wait_for_each_other_and_for_a_machine(machines: int, end: float, used: int) -> None:
    assert cost.schedule(NODES, dict.fromkeys("abcd", 10.0), machines) == (end, used)


def test_a_component_of_several_kinds_has_each_by_itself() -> None:
    kinds = {kind: Node("n", "train_direct", {"kind": kind}) for kind in ("profile", "booster")}
    assert settings().name_of(kinds["profile"]) == "train_direct.profile"
    assert settings().name_of(kinds["booster"]) == "train_direct"


def test_a_node_costs_its_start_its_work_and_its_idle_time() -> None:
    estimated = cost.estimate(settings(), NODES, SIZE, "Standard_D4s_v3", 2)
    work = settings().components["aggregate_sales"].seconds(SIZE, {})
    waiting = settings().waiting.start_seconds + settings().waiting.idle_seconds
    assert estimated.whole.dollars == pytest.approx((4 * work + 2 * waiting) * 0.192 / 3600)
    assert estimated.whole.seconds == pytest.approx(settings().waiting.start_seconds + 3 * work)
    assert estimated.whole.kg_co2 == pytest.approx(4 * work * 2.27 * 1.185 / 3.6e6 * 0.4074)


def test_what_is_unknown_is_said_and_not_in_the_sum() -> None:
    nodes = [*NODES, Node("e", "of_mine", {}, frozenset("d"))]
    estimated = cost.estimate(settings(), nodes, SIZE, "Standard_D4s_v3", 2)
    assert estimated.unknown == ("e",)
    assert estimated.whole == cost.estimate(settings(), NODES, SIZE, "Standard_D4s_v3", 2).whole
    lines = "\n".join(table.lines("x", estimated, settings(), SIZE, "Standard_D4s_v3", 2, {}))
    assert "no timing of it: run it once" in lines and "What e would add is not in the sum." in lines


def test_every_component_of_our_pipelines_has_a_shape() -> None:
    for path in Path("ml/pipelines").glob("*.yml"):
        for node in pipelines.nodes(of_folder(), f"ml/pipelines/{path.name}"):
            assert settings().name_of(node) or path.stem == "sweep", (path, node.component)


def test_nodes_of_the_training_know_what_they_wait_for_and_what_they_are_given() -> None:
    nodes = {node.name: node for node in pipelines.nodes(of_folder(), "ml/pipelines/train.yml")}
    assert nodes["prepare"].after == {"aggregate"}
    assert nodes["train_blend"].after == {"prepare", "train_profile", "train_booster"}
    assert nodes["train_history"].inputs["n_estimators"] == 100
    assert nodes["prepare"].inputs["holdout_months"] == 12


MONTHLY = "type: recurrence, frequency: month"


@pytest.mark.parametrize(
    ("trigger", "runs"),
    [
        (f"{MONTHLY}, interval: 1, schedule: {{hours: 5, minutes: 0, month_days: 2}}", 1),
        (f"{MONTHLY}, interval: 1, schedule: {{hours: [5, 6], minutes: 0, month_days: [2, 9]}}", 4),
        (f"{MONTHLY}, interval: 3, start_time: '2030-01-01T00:00:00'", 1 / 3),
        (
            "type: recurrence, frequency: week, interval: 1, schedule: {hours: 5, minutes: 0, week_days: monday}",
            52 / 12,
        ),
        ("type: recurrence, frequency: day, interval: 1", 365 / 12),
        ("type: cron, expression: '0 5 * * *'", 365 / 12),
    ],
)
def test_a_schedule_is_so_many_runs_a_month(trigger: str, runs: float) -> None:
    read = pipelines.runs_a_month(f"trigger: {{{trigger}}}\ncreate_job: ../pipelines/import.yml\n")
    assert read == ("../pipelines/import.yml", pytest.approx(runs))


@pytest.mark.parametrize(
    "text", ["is_enabled: false\ntrigger: {type: cron, expression: '0 5 * * *'}", "trigger: {type: cron}", "a: ["]
)
def test_a_schedule_that_is_off_or_unread_costs_nothing(text: str) -> None:
    assert pipelines.runs_a_month(f"{text}\ncreate_job: x.yml") is None


def test_the_machines_are_those_of_prod() -> None:
    files = {places.PROD: 'training_vm_size = "Standard_D8s_v3"\ntraining_max_nodes  = 3\n'}
    usual = places.of_prod(files.get, settings().usual)
    assert (usual.machine, usual.nodes) == ("Standard_D8s_v3", 3)
    assert places.of_prod(of_folder(), settings().usual).machine == "Standard_D4s_v3"


@pytest.mark.parametrize(
    ("dollars", "seconds", "said"),
    [
        (0.42, 38, "+0.42 USD a month, 38 s longer a training run"),
        (-0.1, -5, "-0.10 USD a month, 5 s shorter a training run"),
        (0.001, 0.2, None),
    ],
)
def test_the_difference_is_one_line(dollars: float, seconds: float, said: str | None) -> None:
    assert table.difference((1, 100), (1 + dollars, 100 + seconds)) == said


@pytest.mark.parametrize(
    ("text", "message"),
    [("usual: 1", f"{FILE}: "), ("a: [", f"{FILE}: ")],
)
def test_a_file_that_is_not_as_it_must_be_says_so_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        load({FILE: text}.get)
    assert "\n" not in str(error.value)


def test_a_machine_without_a_price_is_named() -> None:
    with pytest.raises(UserError, match="no price of Standard_Z1: it has Standard_D2s_v3"):
        cost.estimate(settings(), NODES, SIZE, "Standard_Z1", 1)
