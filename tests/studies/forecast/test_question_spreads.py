"""The spread of each question: that of the two cells that a past search selected, or of a pilot's best pair."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from studies.forecast.clear_by_look import Question, questions_of
from studies.forecast.question_spreads import spreads_of_past, spreads_of_pilot
from trainables.base.metrics import Direction, Metric, classification

LOSS = classification(10)[0]
FACTORS: dict[str, tuple[Any, ...]] = {"depth": (3, 5, 7), "optimizer": ("sgd", "adam")}
CELLS = dict(enumerate(product(*FACTORS.values()), start=1))


def search(best: dict[int, float]) -> pd.DataFrame:
    """The best trial of each cell, with these objectives for some."""
    return pd.DataFrame(
        [
            {"cell": cell, "depth": depth, "optimizer": optimizer, "objective": best.get(cell, 1.0)}
            for cell, (depth, optimizer) in CELLS.items()
        ]
    )


def confirm(num_blocks: int = 8) -> pd.DataFrame:
    """Networks of every cell and block, with a spread of the cell's own."""
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"cell": cell, "block": block, "test_loss": 0.5 + 0.01 * cell * generator.standard_normal()}
            for cell in CELLS
            for block in range(num_blocks)
        ]
    )


def test_a_past_study_tells_the_spread_between_the_cells_that_its_search_selected() -> None:
    # With depth 3, 5 and 7 cells 2, 3 and 6 are best; SGD is best in cell 3, Adam in cell 2.
    networks = confirm()
    found = spreads_of_past(FACTORS, search({2: 0.1, 3: 0.2, 6: 0.3}), networks, "test_loss", LOSS, FACTORS)
    by_cell = networks.pivot_table(index="block", columns="cell", values="test_loss")
    for question, (a, b) in zip(questions_of(FACTORS), [(2, 3), (3, 6), (3, 2)], strict=True):
        assert found[question] == pytest.approx((by_cell[b] - by_cell[a]).std(ddof=1))


def test_what_it_did_not_ask_gets_the_mean_square_of_what_is_alike() -> None:
    wider = {**FACTORS, "depth": (3, 5, 7, 9), "batch_norm": (False, True)}
    found = spreads_of_past(wider, search({2: 0.1, 3: 0.2, 6: 0.3}), confirm(), "test_loss", LOSS, FACTORS)
    known = [found[each] for each in questions_of(FACTORS)]
    new = Question(factor="depth", level_a=7, level_b=9)
    assert found[new] == pytest.approx(np.sqrt(np.mean(np.square(known[:2]))))
    other = Question(factor="batch_norm", level_a=False, level_b=True)
    assert found[other] == pytest.approx(np.sqrt(np.mean(np.square(known))))


def test_networks_are_scored_as_a_report_scores_them() -> None:
    """A lost network counts as guessing, and so does one that does worse."""
    networks = confirm(3).assign(test_loss=0.5)
    networks.loc[(networks["cell"] == 2) & (networks["block"] == 0), "test_loss"] = None
    networks.loc[(networks["cell"] == 2) & (networks["block"] == 1), "test_loss"] = 99.0
    found = spreads_of_past(FACTORS, search({2: 0.1, 3: 0.2}), networks, "test_loss", LOSS, FACTORS)
    chance = LOSS.failure - 0.5
    assert found[questions_of(FACTORS)[0]] == pytest.approx(np.std([chance, chance, 0], ddof=1))


def test_a_past_that_says_nothing_gives_none() -> None:
    for trials, networks in (
        (search({}).iloc[:0], confirm()),
        (search({}), confirm().iloc[:0]),
        (search({}), confirm(1)),
        (search({}), confirm().assign(test_loss=0.5)),
    ):
        assert spreads_of_past(FACTORS, trials, networks, "test_loss", LOSS, FACTORS) == {}


@pytest.mark.parametrize(
    ("metric", "best"),
    [(LOSS, "adam"), (Metric(name="r2", direction=Direction.MAX, failure=0.0), "sgd")],
    ids=["lower", "higher"],
)
def test_a_pilot_tells_the_spread_of_its_best_pair(metric: Metric, best: str) -> None:
    generator = np.random.default_rng(0)
    outcomes = pd.DataFrame(
        [
            {
                "depth": depth,
                "optimizer": name,
                "block": block,
                "score": mean + sd * generator.standard_normal(),
            }
            for name, mean, sd in (("sgd", 2.0, 0.5), ("adam", 0.1, 0.01))
            for depth in (3, 5)
            for block in range(5)
        ]
    )
    found = spreads_of_pilot(FACTORS, outcomes, "score", metric)
    chosen = outcomes[outcomes["optimizer"] == best].pivot_table(
        index="block", columns="depth", values="score"
    )
    assert found == dict.fromkeys(questions_of(FACTORS), pytest.approx((chosen[5] - chosen[3]).std(ddof=1)))


def test_a_pilot_of_one_factor_has_one_pair_and_of_two_blocks_says_nothing() -> None:
    outcomes = pd.DataFrame(
        {"depth": [3, 5] * 3, "block": [0, 0, 1, 1, 2, 2], "x": [0.1, 0.2, 0.3, 0.2, 0.2, 0.2]}
    )
    factors = {"depth": (3, 5)}
    expected = np.std([0.1, -0.1, 0.0], ddof=1)
    assert spreads_of_pilot(factors, outcomes, "x", LOSS) == {
        questions_of(factors)[0]: pytest.approx(expected)
    }
    assert spreads_of_pilot(factors, outcomes[outcomes["block"] < 2], "x", LOSS) == {}
