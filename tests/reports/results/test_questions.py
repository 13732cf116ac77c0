"""Questions over planned looks, held against the naive twin of their rules (`tests.reports.looks.one_study`)."""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.inputs.decisions import Standing
from reports.results.looks import UNTIL_CLEAR
from reports.results.questions import Followed, follow
from reports.statistics.contrasts import at_best
from reports.statistics.families import Family
from tests.reports.looks.one_study import decide
from tests.reports.looks.rules import Rules as TwinRules

LEVELS = {"depth": (3, 5, 7), "batch_norm": (False, True)}
CELLS = [dict(zip(LEVELS, values, strict=True)) for values in product(*LEVELS.values())]
LOOKS = (10, 20, 40)
PLAN: dict[str, Any] = {
    "plan_version": UNTIL_CLEAR,
    "factors": {name: list(levels) for name, levels in LEVELS.items()},
    "search": {"trials": None, "trials_per_cell": 1},
    "replicates": LOOKS[0],
    "looks": list(LOOKS),
}
SIZE, ERROR_SIZE, SHARE, ERROR_SHARE = 0.02, 0.005, 0.025, 0.0025
Floats = npt.NDArray[np.float64]


def chosen_by(objectives: Floats, boundary: int | None = None) -> pd.DataFrame:
    rows = [
        {**levels, "cell": number, "objective": objective, "at_boundary": number == boundary}
        for number, (levels, objective) in enumerate(zip(CELLS, objectives, strict=True), start=1)
    ]
    return pd.DataFrame(rows)


def trials_of(cells_by_look: list[list[int]]) -> pd.DataFrame:
    search = [(number, "search", number, "complete") for number in range(1, len(CELLS) + 1)]
    confirm = [
        ((look + 1) * len(CELLS) + cell, "confirm", cell, "complete")
        for look, cells in enumerate(cells_by_look)
        for cell in cells
    ]
    return pd.DataFrame([*search, *confirm], columns=["number", "phase", "cell", "state"])


def followed(
    loss: Floats, error: Floats, chosen: pd.DataFrame, trials: pd.DataFrame, *, complete: bool = False
) -> Followed:
    """The product's reading; outcomes of shape (cells, blocks)."""

    def read(values: Floats, outcome: str, size: float, share: float) -> Any:
        def at_look(look: int) -> pd.DataFrame:
            frame = pd.DataFrame(
                [
                    {**levels, "block": block, outcome: values[place, block]}
                    for place, levels in enumerate(CELLS)
                    for block in range(LOOKS[look - 1])
                    if np.isfinite(values[place, block])
                ]
            )
            return at_best(
                frame,
                list(LEVELS),
                outcome,
                chosen,
                size,
                family=Family(share=share / len(LOOKS), num_hypotheses=num_pairs(chosen)),
                levels=LEVELS,
            )

        return at_look

    return follow(
        PLAN,
        trials,
        chosen,
        is_complete=complete,
        read=read(loss, "test_loss", SIZE, SHARE),
        read_error=read(error, "test_error", ERROR_SIZE, ERROR_SHARE),
    )


def pairs_of(chosen: pd.DataFrame) -> list[tuple[int, int]]:
    """The cells of each question, from 0: the later level's first, as differences are b minus a."""

    def best(factor: str, level: object) -> int:
        there = [place for place, levels in enumerate(CELLS) if levels[factor] == level]
        return min(there, key=lambda place: float(chosen["objective"].iloc[place]))

    levels = [("depth", 3, 5), ("depth", 5, 7), ("batch_norm", False, True)]
    return [(best(factor, b), best(factor, a)) for factor, a, b in levels]


def num_pairs(chosen: pd.DataFrame) -> int:
    return len({frozenset(pair) for pair in pairs_of(chosen)})


def world(seed: int, effect: float, spread: float) -> tuple[Floats, Floats, Floats]:
    """Losses, errors and the search's objectives of one made-up study."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0.3, effect, len(CELLS))
    shape = (len(CELLS), LOOKS[-1])
    loss = means[:, None] + rng.normal(0, 0.05, (1, LOOKS[-1])) + rng.normal(0, spread, shape)
    error = 0.1 + 0.2 * (means[:, None] - 0.3) + rng.normal(0, spread / 4, shape)
    return loss, error, means + rng.normal(0, spread, len(CELLS))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    effect=st.sampled_from([0.0, 0.01, 0.03]),
    spread=st.sampled_from([0.01, 0.02]),
)
def test_every_look_is_read_and_decided_as_by_the_twin(seed: int, effect: float, spread: float) -> None:
    loss, error, objectives = world(seed, effect, spread)
    chosen = chosen_by(objectives)
    expected = decide(
        loss,
        pairs_of(chosen),
        TwinRules(
            looks=LOOKS, smallest_effect=SIZE, smallest_error=ERROR_SIZE, share=SHARE, error_share=ERROR_SHARE
        ),
        error=error,
    )
    trained = [list(range(1, len(CELLS) + 1))]
    trained += [sorted(cell + 1 for cell in each.cells_to_train) for each in expected[:-1]]
    for look, cells in enumerate(trained):
        missing = [place for place in range(len(CELLS)) if place + 1 not in cells]
        for values in (loss, error):
            values[missing, 0 if look == 0 else LOOKS[look - 1] : LOOKS[look]] = np.nan
    found = followed(loss, error, chosen, trials_of(trained))
    assert [each.num_blocks for each in found.decisions] == [each.num_blocks for each in expected]
    for mine, theirs in zip(found.decisions, expected, strict=True):
        assert set(mine.cells) == {cell + 1 for cell in theirs.cells_to_train}
        for place, question in enumerate(mine.questions):
            is_open = question.standing in (Standing.OPEN, Standing.UNRESOLVED)
            assert is_open == (place in theirs.open)
            if place in theirs.read:
                read = theirs.read[place]
                assert (question.estimate, question.low, question.high) == pytest.approx(
                    (read.mean, read.low, read.high), rel=1e-6, abs=1e-9
                )
                assert read.gates <= {"DIRECTION", "MEANINGFUL", "EQUIVALENT"}
    claims = {place: read for each in expected for place, read in each.errors.items()}
    for place, row in enumerate(
        found.error_at_best.to_dict("records") if found.error_at_best is not None else []
    ):
        assert row["estimate"] == pytest.approx(claims[place].mean, rel=1e-6, abs=1e-12)
        assert (row["gate"] != "UNRESOLVED") == bool(claims[place].gates)
        assert (row["standing"] == Standing.CLOSED) == bool(claims[place].gates)
        assert (row["standing"] == Standing.OPEN) == (
            not claims[place].gates and found.decisions[-1].questions[place].is_open
        )


def all_trained() -> pd.DataFrame:
    return trials_of([list(range(1, len(CELLS) + 1))] * len(LOOKS))


def test_hypotheses_are_counted_when_the_search_ends_and_never_fewer() -> None:
    loss, error, objectives = world(3, 0.02, 0.02)
    chosen = chosen_by(objectives)
    found = followed(loss, error, chosen, all_trained())
    assert set(found.at_best["num_hypotheses"]) == {num_pairs(chosen)}
    assert set(found.at_best["share"]) == {SHARE / len(LOOKS)}


def test_a_boundary_withholds_its_questions_at_the_first_look_and_trains_nothing_for_them() -> None:
    loss, error, _ = world(5, 0.0, 0.05)
    chosen = chosen_by(
        np.arange(6.0), boundary=1
    )  # the best cell of all, which every question but 7 - 5 compares
    found = followed(loss, error, chosen, all_trained())
    first = found.decisions[0]
    standings = {(each.factor, each.level_a): each.standing for each in first.questions}
    assert standings[("depth", 3)] is standings[("batch_norm", False)] is Standing.WITHHELD
    assert standings[("depth", 5)] is Standing.OPEN
    assert first.cells == (3, 5)


def test_cells_that_score_the_same_are_withheld() -> None:
    loss, error, objectives = world(5, 0.0, 0.05)
    loss[:] = np.log(10)
    found = followed(loss, error, chosen_by(objectives), all_trained())
    assert {each.standing for each in found.decisions[0].questions} == {Standing.WITHHELD}
    assert (found.decisions[0].cells, found.decisions[0].next_blocks, len(found.decisions)) == ((), None, 1)


def test_a_level_without_a_confirmed_cell_is_withheld_and_counts() -> None:
    loss, error, objectives = world(5, 0.0, 0.05)
    loss[4:] = error[4:] = np.nan
    objectives[4:] = np.inf
    chosen = chosen_by(objectives)
    trained = trials_of([[1, 2, 3, 4, 5, 6]] * len(LOOKS))
    found = followed(loss, error, chosen, trained)
    standings = [each.standing for each in found.decisions[0].questions]
    assert standings[1] is Standing.WITHHELD
    assert set(found.at_best["num_hypotheses"]) == {num_pairs(chosen)}


def test_at_the_cap_a_question_is_unresolved() -> None:
    loss, error, objectives = world(11, 0.0, 0.5)
    found = followed(loss, error, chosen_by(objectives), all_trained())
    last = found.decisions[-1]
    assert (last.look, last.num_blocks, last.cells, last.next_blocks) == (3, 40, (), None)
    assert {each.standing for each in last.questions} == {Standing.UNRESOLVED}
    assert list(found.readings["look"]).count(3) == 3


def test_before_the_first_look_is_whole_nothing_is_decided() -> None:
    loss, error, objectives = world(1, 0.0, 0.02)
    loss[5] = error[5] = np.nan
    found = followed(loss, error, chosen_by(objectives), trials_of([[1, 2, 3, 4, 5]]))
    assert (found.look.number, found.decisions) == (0, ())
    assert found.look.num_blocks == LOOKS[0]


def test_a_look_that_is_not_whole_is_not_read() -> None:
    loss, error, objectives = world(2, 0.0, 0.05)
    chosen = chosen_by(objectives)
    every = list(range(1, len(CELLS) + 1))
    needed = list(followed(loss, error, chosen, trials_of([every])).decisions[0].cells)
    assert len(needed) > 1
    partly = followed(loss, error, chosen, trials_of([every, needed[:1]]))
    assert (partly.look.number, partly.look.begun) == (1, True)
    whole = followed(loss, error, chosen, trials_of([every, needed]))
    assert (whole.look.number, whole.look.begun) == (2, False)
