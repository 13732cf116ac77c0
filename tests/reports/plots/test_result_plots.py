"""Confusion, reliability, interaction, budget and paired forests draw what their frames say, and say why when empty."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from reports.plots import budget, confusion, forest_pair, interaction, reliability
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.marks import levels
from reports.plots.style.theme import Theme

FACTORS = {"depth": (3, 5), "batch_norm": (False, True)}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_confusion_matrix_names_its_counts_and_leaves_zeros_out() -> None:
    frame = confusion.tidy([[9, 1], [0, 10]], ["cat", "dog"])
    assert frame[["true", "predicted", "count"]].to_numpy().tolist() == [
        ["cat", "cat", 9],
        ["cat", "dog", 1],
        ["dog", "dog", 10],
    ]
    assert frame["share"].tolist() == [0.9, 0.1, 1.0]
    figure = Figure()
    confusion.draw(frame, figure.add_subplot(), classes=["cat", "dog"])
    assert texts(figure) == ["9", "1", "10"]


def test_many_classes_are_drawn_without_numbers() -> None:
    figure = Figure()
    names = [str(place) for place in range(30)]
    confusion.draw(confusion.tidy(np.eye(30).tolist(), names), figure.add_subplot(), classes=names)
    assert texts(figure) == []


def test_a_reliability_diagram_counts_the_examples_of_each_bin() -> None:
    row = {"low": 0.9, "high": 1.0, "count": 40, "confidence": 0.97, "accuracy": 0.9}
    bins = [
        {**row, "accuracy_low": 0.85, "accuracy_high": 0.95},
        {**row, "low": 0.0, "high": 0.1, "count": 0},
    ]
    figure = Figure()
    reliability.draw(reliability.tidy(bins), figure.add_subplot())
    assert texts(figure) == ["40"]


def test_an_interaction_has_a_line_a_level_and_the_mean_of_its_blocks() -> None:
    rows = [(3, False, 1, 0.2), (3, False, 2, 0.4), (5, False, 1, 0.6), (5, False, 2, 0.8)]
    scores = pd.DataFrame(rows, columns=["depth", "batch_norm", "block", "test_loss"])
    frame = interaction.tidy(scores, "depth", (3, 5), "batch_norm", (False, True), "test_loss")
    means = frame[(frame["kind"] == "mean") & (frame["by_level"] == "False")]
    assert means["value"].tolist() == pytest.approx([0.3, 0.7])
    figure = Figure()
    theme = Theme.of(FACTORS)
    interaction.draw(
        frame,
        figure.add_subplot(),
        theme=theme,
        factor="depth",
        levels=(3, 5),
        by="batch_norm",
        by_levels=(False, True),
        limits=(0.1, 1),
    )
    assert texts(figure) == ["off", "batch norm"], (
        "a level without networks has no line, the rest say what they are"
    )
    assert figure.axes[0].get_xlabel() == "depth"


def test_a_point_of_an_interaction_is_of_both_its_levels_and_its_line_of_one() -> None:
    rows = [
        (depth, norm, block, 0.1 * depth) for depth in (3, 5) for norm in (False, True) for block in (1, 2)
    ]
    scores = pd.DataFrame(rows, columns=["depth", "batch_norm", "block", "test_loss"])
    frame = interaction.tidy(scores, "depth", (3, 5), "batch_norm", (False, True), "test_loss")
    draw = partial(
        interaction.draw,
        frame,
        theme=Theme.of(FACTORS),
        factor="depth",
        levels=(3, 5),
        by="batch_norm",
        by_levels=(False, True),
        limits=(0.1, 1),
    )
    owners = draw_panel(draw, Sheet(), prefix="a").marks.owners
    expected = {levels("batch_norm", norm) for norm in (False, True)}
    expected |= {(*line, *levels("depth", depth)) for line in expected for depth in (3, 5)}
    assert {*owners} == expected


def test_a_budget_curve_has_one_line_a_cell_and_their_mean() -> None:
    losses = pd.DataFrame({"cell": [1, 1, 2, 2], "val_loss": [0.4, 0.2, 0.8, 0.6]})
    frame = budget.tidy(losses, [0.5, 0.4])
    assert frame[frame["kind"] == "cell"]["loss"].tolist() == pytest.approx([0.3, 0.2, 0.7, 0.6])
    figure = Figure()
    budget.draw(frame, figure.add_subplot(), unit="trials of a cell")
    assert len(figure.axes[0].collections[0].get_paths()) == 2


def test_two_studies_have_two_intervals_a_contrast() -> None:
    side = {"estimate": 0.1, "simultaneous_low": 0.0, "simultaneous_high": 0.2}
    shared = [{"factor": "depth", "level_a": 3, "level_b": 5, "a": side, "b": {**side, "estimate": None}}]
    frame = forest_pair.tidy(shared, ["one", "two"])
    assert frame["study"].tolist() == ["one", "two"]
    figure = Figure()
    forest_pair.draw(frame, figure.add_subplot(), smallest_effect=0.02, unit="nats")
    assert texts(figure) == ["depth: 5 − 3"]


def test_empty_frames_say_why() -> None:
    drawn = []
    for place in range(5):
        figure = Figure()
        ax = figure.add_subplot()
        match place:
            case 0:
                confusion.draw(confusion.tidy([], []), ax, classes=[])
            case 1:
                reliability.draw(reliability.tidy([]), ax)
            case 2:
                budget.draw(budget.tidy(pd.DataFrame(columns=["cell", "val_loss"]), []), ax, unit="trials")
            case 3:
                forest_pair.draw(forest_pair.tidy([], ["a", "b"]), ax, smallest_effect=0.02, unit="nats")
            case _:
                empty = pd.DataFrame(columns=["depth", "batch_norm", "block", "test_loss"])
                interaction.draw(
                    interaction.tidy(empty, "depth", (3, 5), "batch_norm", (False,), "test_loss"),
                    ax,
                    theme=Theme.of(FACTORS),
                    factor="depth",
                    levels=(3, 5),
                    by="batch_norm",
                    by_levels=(False,),
                    limits=(0.1, 1),
                )
        drawn.append(" ".join(texts(figure)))
    assert all(text for text in drawn)
