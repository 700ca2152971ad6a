"""The sample of series: the same share of each country and size, and nearly the same one next month."""

import numpy as np
import pandas as pd
import pytest

from forecasting.sampling import drawn


def series(count: int, countries: tuple[str | None, ...] = ("US", "CA", "MX", None)) -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "StoreID": [f"S{number:05d}" for number in range(count)],
            "Category": None,
            "Product": [f"P{number % 7}" for number in range(count)],
            "Country": random.choice(np.array(countries, dtype=object), count, p=[0.7, 0.2, 0.05, 0.05]),
            "Units": random.gamma(0.5, 100, count),
        }
    )


def test_as_many_series_as_wanted_or_fewer_are_all_taken() -> None:
    every = series(50)
    assert drawn(every, 50) is every and drawn(every, 51) is every


@pytest.mark.parametrize("most", [100, 1000, 4000])
def test_each_country_and_size_gives_its_share(most: int) -> None:
    every = series(5000)
    sample = drawn(every, most)
    assert most <= len(sample) <= most + 40 and not sample["StoreID"].duplicated().any()
    for name, count in every["Country"].value_counts(dropna=False).items():
        of_it = sample["Country"].isna() if pd.isna(name) else sample["Country"] == name
        assert of_it.sum() == pytest.approx(count * most / 5000, abs=10)
    large = every["Units"] > every["Units"].quantile(0.9)
    assert large[sample.index].sum() == pytest.approx(most / 10, abs=4)


def test_next_months_sample_is_nearly_the_same() -> None:
    every = series(5000)
    sold = every["Units"] * np.random.default_rng(4).normal(1.02, 0.01, 5000)
    later = pd.concat([every.assign(Units=sold), series(5050).tail(50)], ignore_index=True)
    before, after = set(drawn(every, 500)["StoreID"]), set(drawn(later.sample(frac=1, random_state=1), 500)["StoreID"])
    assert len(before & after) > 0.9 * len(before)
