"""Which trials a policy ends, on values given by hand."""

import pytest

from localml.early_termination import Policy, Watch


def ended(policy, values, goal="maximize", running=None):
    """Trials that a policy ends, from the values that each has logged."""
    logged = dict(enumerate(values))
    return Watch(Policy.model_validate(policy), goal).to_end(logged, list(logged) if running is None else running)


def test_bandit_ends_what_lies_outside_the_slack_factor_of_the_best():
    """The reference's example: 0.2 of slack on a best of 0.8 ends what is below 0.667."""
    policy = {"type": "bandit", "slack_factor": 0.2}
    assert ended(policy, [[0.8], [0.66], [0.67]]) == [1]
    assert ended(policy, [[1.0], [1.19], [1.21]], "minimize") == [2]


def test_bandit_ends_what_lies_outside_the_slack_amount_of_the_best():
    policy = {"type": "bandit", "slack_amount": 0.2}
    assert ended(policy, [[0.8], [0.59], [0.61]]) == [1]
    assert ended(policy, [[0.8], [1.01], [0.99]], "minimize") == [1]


def test_a_trials_best_value_counts_and_not_its_last():
    assert ended({"type": "bandit", "slack_amount": 0.1}, [[0.8, 0.8], [0.79, 0.1]]) == []


def test_nothing_is_compared_before_the_delay_or_between_the_intervals():
    policy = {"type": "bandit", "slack_amount": 0.1, "evaluation_interval": 2, "delay_evaluation": 4}
    for count, expected in ((1, []), (2, []), (3, []), (4, [1]), (5, [1])):
        assert ended(policy, [[0.8] * count, [0.1] * count]) == expected, count


def test_a_policy_is_applied_once_at_each_interval():
    watch = Watch(Policy(type="bandit", slack_amount=0.1), "maximize")
    assert watch.to_end({0: [0.5], 1: [0.45]}, [0, 1]) == []
    assert watch.to_end({0: [0.5, 0.9], 1: [0.45]}, [0, 1]) == []  # nothing new of trial 1
    assert watch.to_end({0: [0.5, 0.9], 1: [0.45, 0.46]}, [0, 1]) == [1]


def test_median_stopping_ends_what_is_worse_than_the_median_of_running_averages():
    values = [[0.9, 0.9], [0.5, 0.7], [0.4, 0.5]]  # averages 0.9, 0.6, 0.45
    assert ended({"type": "median_stopping"}, values) == [2]
    assert ended({"type": "median_stopping"}, [[1, 1], [2, 2], [3, 3]], "minimize") == [2]


def test_truncation_ends_a_share_of_the_worst_of_those_that_came_as_far():
    policy = {"type": "truncation_selection", "truncation_percentage": 50}
    assert ended(policy, [[1.0], [2.0], [3.0], [4.0]]) == [0, 1]
    assert ended(policy, [[1.0], [2.0], [3.0], [4.0]], "minimize") == [2, 3]
    # Finished trials take part unless they are excluded: of one trial half is none.
    assert ended(policy, [[1.0], [9.0]], running=[0]) == [0]
    assert ended({**policy, "exclude_finished_jobs": True}, [[1.0], [9.0]], running=[0]) == []


@pytest.mark.parametrize(
    "policy",
    [
        {"type": "bandit"},
        {"type": "bandit", "slack_factor": 0.1, "slack_amount": 0.1},
        {"type": "truncation_selection"},
        {"type": "truncation_selection", "truncation_percentage": 100},
        {"type": "median_stopping", "evaluation_interval": 0},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(policy):
    with pytest.raises(ValueError, match=r"policy|less than|greater than"):
        Policy.model_validate(policy)
