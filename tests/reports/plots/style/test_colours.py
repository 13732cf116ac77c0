"""Colour arithmetic against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots.style.colours import contrast, from_oklch, readable


def test_contrast_equals_the_values_that_wcag_gives() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@pytest.mark.parametrize(
    ("oklch", "colour"),
    # https://bottosson.github.io/posts/oklab: sRGB red and blue, white.
    [
        ((0.627955, 0.257683, 29.2339), "#ff0000"),
        ((0.452014, 0.313214, 264.052), "#0000ff"),
        ((1, 0, 0), "#ffffff"),
    ],
)
def test_oklch_gives_the_published_colours(oklch: tuple[float, float, float], colour: str) -> None:
    assert from_oklch(*oklch) == colour


@given(st.floats(0.05, 0.95), st.floats(0, 0.4), st.floats(0, 360))
def test_a_colour_outside_srgb_still_gives_a_colour(lightness: float, chroma: float, hue: float) -> None:
    colour = from_oklch(lightness, chroma, hue)
    assert len(colour) == 7
    assert int(colour[1:], 16) <= 0xFFFFFF


@given(st.integers(0, 0xFFFFFF), st.sampled_from(["#fdfdfb", "#15171b"]))
def test_readable_reaches_the_contrast_on_either_ground(colour: int, ground: str) -> None:
    assert contrast(readable(f"#{colour:06x}", ground), ground) >= 4.5


def test_readable_keeps_a_colour_that_reads_already() -> None:
    assert readable("#0072b2", "#ffffff") == "#0072b2"
