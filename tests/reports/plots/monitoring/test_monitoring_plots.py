"""Pictures of two samples: what is drawn, and that empty, long and odd input is."""

import pytest

from reports.plots.monitoring import two_histograms, two_shares
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.theme import LevelStyle, Theme


def styles() -> tuple[LevelStyle, LevelStyle]:
    theme = Theme.of({"sample": ("before", "after")})
    return theme.style("sample", "before"), theme.style("sample", "after")


def histogram(edges: list[float], before: list[float], after: list[float]) -> Panel:
    one, other = styles()
    frame = two_histograms.tidy(edges, before, after)
    return draw_panel(
        lambda ax: two_histograms.draw(frame, ax, before=one, after=other, most=0.7), Sheet(), prefix="p"
    )


def test_a_histogram_names_both_samples_in_their_colours() -> None:
    panel = histogram([0, 1, 2], [0.3, 0.7], [0.6, 0.4])
    before, after = styles()
    assert "before" in panel.svg
    assert "now" in panel.svg
    assert before.mark.light in panel.svg
    assert after.mark.light in panel.svg


@pytest.mark.parametrize("edges", [[0.0, 1e-9, 2e-9], [-1e30, 0, 1e30], [169.5, 170, 170.5]])
def test_any_scale_is_drawn(edges: list[float]) -> None:
    assert histogram(edges, [0.5, 0.5], [0.5, 0.5]).svg


def test_an_empty_histogram_says_why() -> None:
    assert "No row has a value." in histogram([0.0], [], []).svg


def test_shares_are_drawn_by_name_and_long_names_are_cut() -> None:
    one, other = styles()
    frame = two_shares.tidy(["short", "a name that is far too long to stand there"], [0.1, 0.2], [0.3, 0.2])
    panel = draw_panel(
        lambda ax: two_shares.draw(frame, ax, before=one, after=other, most=0.3), Sheet(), prefix="p"
    )
    assert "short" in panel.svg
    assert "a name that is fa…" in panel.svg
    empty = two_shares.tidy([], [], [])
    panel = draw_panel(
        lambda ax: two_shares.draw(empty, ax, before=one, after=other, most=0.3), Sheet(), prefix="p"
    )
    assert "There is no category." in panel.svg
