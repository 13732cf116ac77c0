"""Gradient flow and heat maps: ratios to the last layer, theory's line, hatching, untouched input, empty cases."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex

from reports.plots import flow_grid, gradient_flow, heat_map
from reports.plots.signal import relative_signal
from reports.plots.style.grid import FULL_WIDTH, LETTER, Column, Grid
from reports.plots.style.theme import BAD, GROWTH_INKS, Theme
from tests.reports.plots.drawing import axes, texts, unchanged

THEME = Theme.of({"depth": (3,)})


def recorded(growth: float, num_layers: int = 3, num_epochs: int = 2, num_blocks: int = 2) -> pd.DataFrame:
    """Gradients of one trial that grow by a constant factor toward the input."""
    rows = [
        {"trial_number": 1, "replicate": block, "epoch": epoch, "layer": layer}
        for block in range(1, num_blocks + 1)
        for epoch in range(num_epochs)
        for layer in range(1, num_layers + 1)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(delta_rms=0.01 * growth ** (num_layers - frame["layer"]))


def replicates(num_blocks: int = 2) -> pd.DataFrame:
    numbers = range(1, num_blocks + 1)
    return pd.DataFrame(
        {"trial_number": 1, "phase": "confirm", "replicate": numbers, "block": numbers, "depth": 3}
    )


def test_the_signal_is_relative_to_the_last_hidden_layer() -> None:
    signal = relative_signal(recorded(2.0), replicates(), ["depth"])
    by_layer = signal.groupby("layer")["log_ratio"].mean()
    assert by_layer.tolist() == pytest.approx([2 * np.log(2), np.log(2), 0])
    assert (signal["num_layers"] == 3).all()


@pytest.mark.parametrize("broken", [np.nan, np.inf, 0.0])
def test_a_ratio_is_missing_where_either_side_is_not_a_positive_number(broken: float) -> None:
    gradients = recorded(2.0, num_epochs=1, num_blocks=1)
    gradients.loc[gradients["layer"] == 2, "delta_rms"] = broken
    ratios = relative_signal(gradients, replicates(1), []).set_index("layer")["log_ratio"]
    assert np.isnan(ratios[2])
    assert np.isfinite(ratios[1])
    gradients.loc[gradients["layer"] == 3, "delta_rms"] = broken
    assert relative_signal(gradients, replicates(1), [])["log_ratio"].isna().all()


def test_search_trials_are_left_out_and_empty_frames_stay_empty() -> None:
    assert relative_signal(recorded(2.0), replicates().assign(phase="search"), []).empty
    assert relative_signal(recorded(2.0).iloc[:0], replicates(), ["depth"]).empty


def flow(growth: float | None = 2.0) -> pd.DataFrame:
    signal = relative_signal(recorded(2.0), replicates(), ["depth"])
    signal = signal[signal["epoch"] == 0]
    label = pd.Series("3", index=signal.index)
    return gradient_flow.tidy(signal, label.replace("3", "a"), label, {} if growth is None else {"a": growth})


def draw_flow(frame: pd.DataFrame, ax: Axes) -> None:
    gradient_flow.draw(
        frame,
        ax,
        theme=THEME,
        factor="depth",
        levels=(3,),
        limits=(0.5, 5),
        num_layers=3,
    )


def test_measured_growth_falls_on_the_line_that_theory_predicts() -> None:
    frame = flow()
    assert frame["median"].tolist() == pytest.approx([4, 2, 1])
    assert frame["theory"].tolist() == pytest.approx([4, 2, 1])
    assert flow(None)["theory"].isna().all()


def test_gradient_flow_names_its_lines_or_says_why_there_are_none() -> None:
    assert texts(unchanged(flow(), draw_flow)) == ["depth 3"]
    assert "No finite gradients" in texts(unchanged(flow().iloc[:0], draw_flow))[0]
    assert "No finite gradients" in texts(unchanged(flow().assign(median=np.nan), draw_flow))[0]


def test_each_panel_and_line_has_its_own_quantiles_in_whatever_order_networks_come() -> None:
    """Two panels of two depths each, their networks interleaved."""
    growths, parts = {("b", "7"): 3.0, ("a", "3"): 2.0, ("a", "7"): 0.5, ("b", "3"): 1.0}, []
    for (panel, line), growth in growths.items():
        signal = relative_signal(recorded(growth, num_layers=int(line)), replicates(), [])
        parts.append(signal[signal["epoch"] == 0].assign(panel=panel, line=line))
    mixed = pd.concat(parts, ignore_index=True).sort_values(["layer", "block"], kind="stable")
    frame = gradient_flow.tidy(mixed, mixed["panel"], mixed["line"], {"a": 2.0})
    for (panel, line), growth in growths.items():
        there = frame[(frame["panel"] == panel) & (frame["line"] == line)].set_index("layer")
        powers = int(line) - there.index.to_numpy()
        assert there["median"].to_numpy() == pytest.approx(growth**powers)
        assert there["low"].to_numpy() == pytest.approx(growth**powers)
        assert there["theory"].notna().all() == (panel == "a")
        assert there["theory"].isna().all() == (panel == "b")


COLUMN = Column("b", "", "b")


def draw_small(frame: pd.DataFrame, ax: Axes, columns: tuple[Column, ...] = (COLUMN,)) -> None:
    flow_grid.draw(
        frame.assign(row="a", column="b"),
        ax,
        grid=flow_grid.layout(["a"], columns),
        theme=THEME,
        factor="depth",
        levels=(3,),
        limits=(0.5, 8),
        num_layers=3,
    )


def test_a_small_picture_has_its_lines_in_its_box_with_theory_and_legend() -> None:
    ax = unchanged(flow(), draw_small)
    layout = flow_grid.layout(["a"], [COLUMN])
    lines = [each for each in ax.collections if isinstance(each, LineCollection)]
    drawn = [np.asarray(segment) for each in lines for segment in each.get_segments() if len(segment) == 3]
    assert len(drawn) == 2, "measured and theory"
    for line in drawn:
        assert line[:, 0] == pytest.approx(layout.left + layout.box * np.array([0, 0.5, 1]))
        # y runs downward over 0.5..8 in four doublings: 4, 2 and 1 lie 1, 2 and 3 of them below the top.
        assert line[:, 1] == pytest.approx(layout.tops["a"] + layout.heights["a"] * np.array([1, 2, 3]) / 4)
    assert {"a", "b", "depth 3", "theory", "layer, from the input", "1"} <= set(texts(ax))
    assert "theory" not in texts(unchanged(flow(None), draw_small))


def test_small_pictures_without_finite_gradients_say_so() -> None:
    assert "No finite gradients" in texts(unchanged(flow().iloc[:0], draw_small))[0]
    assert "No finite gradients" in texts(unchanged(flow().assign(median=np.nan), draw_small))[0]
    gap = flow()
    gap.loc[gap["layer"] == 1, ["median", "low", "high"]] = np.nan
    assert "depth 3" in texts(unchanged(gap, draw_small))


def test_a_grid_fits_a_screen_however_many_columns_it_has() -> None:
    for num in (1, 4, 12):
        columns = [Column(f"{place}", "group", f"{place}") for place in range(num)]
        grid = Grid(heights={"depth 20, batch norm off": 80.0}, columns=columns)
        assert grid.size[0] <= FULL_WIDTH
        assert grid.lefts["0"] == grid.left


def test_names_of_columns_that_are_too_long_stand_in_lines_and_push_the_boxes_down() -> None:
    short = Grid(heights={"a": 80.0}, columns=[Column(str(place), "", "x") for place in range(8)])
    names = [Column(str(place), "", "width 64, constant") for place in range(8)]
    long = Grid(heights={"a": 80.0}, columns=names)
    assert long.names["0"] == ["width 64,", "constant"]
    assert all(LETTER * len(line) <= long.box for lines in long.names.values() for line in lines)
    assert long.tops["a"] > short.tops["a"]
    assert long.size[1] > short.size[1]


def heat(growth: float) -> pd.DataFrame:
    signal = relative_signal(recorded(growth), replicates(), ["depth"])
    labels = pd.Series("a", index=signal.index)
    return heat_map.tidy(signal, labels, labels.replace("a", "b"))


def draw_heat(frame: pd.DataFrame, ax: Axes) -> None:
    heat_map.draw(frame, ax, grid=heat_map.layout(frame, ["a"], [COLUMN]), num_epochs=1)


def shown(frame: pd.DataFrame) -> list[PolyCollection]:
    ax = axes()
    draw_heat(frame, ax)
    return [each for each in ax.collections if isinstance(each, PolyCollection)]


@pytest.mark.parametrize(("growth", "side"), [(4.0, "red"), (0.25, "blue"), (1.1, "middle")])
def test_colours_diverge_around_a_ratio_of_one(growth: float, side: str) -> None:
    middle = len(GROWTH_INKS) // 2
    num_legend = len(GROWTH_INKS)
    drawn = shown(heat(growth))[1:-num_legend]
    places = [
        index
        for each in drawn
        for index, ink in enumerate(GROWTH_INKS)
        if to_hex(np.asarray(each.get_facecolor())[0]) == ink.light
    ]
    outer = [place for place in places if place != middle]
    assert middle in places
    assert {"red": all(p > middle for p in outer), "blue": all(p < middle for p in outer)}.get(
        side, not outer
    )
    assert bool(outer) == (side != "middle")


def test_neighbours_in_time_of_one_colour_become_one_box() -> None:
    # Three layers of constant ratio over two epochs: three boxes.
    drawn = shown(heat(4.0))[1 : -len(GROWTH_INKS)]
    assert sum(len(each.get_paths()) for each in drawn) == 3


def test_cells_without_finite_values_are_hatched_and_named() -> None:
    frame = heat(4.0)
    frame.loc[(frame["layer"] == 1) & (frame["epoch"] == 1), ["ratio", "finite"]] = [np.nan, 0.0]
    ax = unchanged(frame, draw_heat)
    hatched = [each for each in ax.collections if each.get_hatch()]
    assert hatched
    assert len(hatched[0].get_paths()) == 1
    assert to_hex(np.asarray(hatched[0].get_edgecolor())[0]) == BAD.light
    assert "not finite" in texts(ax)
    assert "not finite" not in texts(unchanged(heat(4.0), draw_heat))


def test_the_share_of_finite_networks_is_counted_by_cell_and_epoch() -> None:
    gradients = recorded(2.0)
    gradients.loc[(gradients["replicate"] == 1) & (gradients["epoch"] == 1), "delta_rms"] = np.nan
    signal = relative_signal(gradients, replicates(), ["depth"])
    labels = pd.Series("a", index=signal.index)
    finite = heat_map.tidy(signal, labels, labels).groupby("epoch")["finite"].unique().map(list)
    assert finite.to_dict() == {0: [1.0], 1: [0.5]}


def test_an_empty_heat_map_says_why() -> None:
    assert "No gradients" in texts(unchanged(heat(2.0).iloc[:0], draw_heat))[0]
