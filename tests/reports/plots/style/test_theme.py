"""One look: every level has one colour and one marker, inks are readable on both grounds, drawings are recoloured."""

import re

import pytest

from reports.plots.style.colours import contrast
from reports.plots.style.theme import DARK_GROUND, GROWTH_INKS, LIGHT_GROUND, Theme
from tests.reports.sample import FACTORS

THEME = Theme.of(FACTORS)


def test_each_level_has_a_colour_and_within_its_factor_a_marker_of_its_own() -> None:
    styles = [THEME.style(factor, level) for factor, levels in FACTORS.items() for level in levels]
    assert len({style.mark.light for style in styles}) == len(styles)
    for factor, levels in FACTORS.items():
        assert len({THEME.style(factor, level).marker for level in levels}) == len(levels)


def test_no_two_inks_share_the_colour_that_they_are_drawn_in() -> None:
    many = Theme.of({f"f{number}": tuple("abcdefgh") for number in range(12)})
    lights = [ink.light for ink in many.inks()]
    assert len(set(lights)) == len(lights)


@pytest.mark.parametrize("factors", [FACTORS, {"x": tuple(range(8)), "y": tuple("abcdefgh")}])
def test_labels_reach_aa_and_marks_a_contrast_of_three(factors: dict[str, tuple[object, ...]]) -> None:
    theme = Theme.of(factors)
    for factor, levels in factors.items():
        for level in levels:
            style = theme.style(factor, level)
            assert contrast(style.text.light, LIGHT_GROUND) >= 4.4
            assert contrast(style.text.dark, DARK_GROUND) >= 4.5
            assert contrast(style.mark.light, LIGHT_GROUND) >= 2.9
            assert contrast(style.mark.dark, DARK_GROUND) >= 2.9


def test_ordered_levels_get_darker_on_light_ground_and_brighter_on_dark() -> None:
    styles = [THEME.style("depth", level) for level in FACTORS["depth"]]
    light = [contrast(style.mark.light, LIGHT_GROUND) for style in styles]
    dark = [contrast(style.mark.dark, DARK_GROUND) for style in styles]
    assert light == sorted(light)
    assert dark == sorted(dark)


def test_growth_colours_are_quiet_in_the_middle_and_as_strong_on_both_sides() -> None:
    strengths = [contrast(ink.light, LIGHT_GROUND) for ink in GROWTH_INKS]
    middle = len(strengths) // 2
    assert strengths[:middle] == sorted(strengths[:middle], reverse=True)
    assert strengths[middle:] == sorted(strengths[middle:])
    assert strengths[middle] < 1.3
    assert strengths[0] == pytest.approx(strengths[-1], rel=0.15)


def test_equal_levels_of_other_types_are_one_level() -> None:
    theme = Theme.of({"depth": (3, None), "width": ((64, 32), 64)})
    assert theme.style("depth", 3.0) == theme.style("depth", 3)
    assert theme.style("width", [64, 32]) == theme.style("width", (64, 32))
    assert theme.style("depth", None).name == "none"


def test_a_drawing_in_light_colours_becomes_variables_that_both_modes_define() -> None:
    drawing = " ".join(f"fill: {ink.light};" for ink in THEME.inks())
    used = set(re.findall(r"var\((--[\w-]+)\)", THEME.with_variables(drawing)))
    assert "#" not in THEME.with_variables(drawing)
    for mode in ("light", "dark"):
        assert used == set(re.findall(r"(--[\w-]+):", THEME.css(mode)))
