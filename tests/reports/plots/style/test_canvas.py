"""One drawing becomes the same SVG and pixels every time, slim and safe to put beside others."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.canvas import PNG_DPI, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.theme import INK


def scatter(ax: Axes) -> None:
    ax.plot([0.123456, 1], [2, 3.3333333], "o-", color=INK.light)
    ax.text(0.5, 2.5, "0.123456 & more", style="normal")
    ax.set_xlim(0, 1)


def test_the_same_drawing_gives_the_same_bytes() -> None:
    first, second = draw_panel(scatter, Sheet(), prefix="a"), draw_panel(scatter, Sheet(), prefix="a")
    assert first.svg == second.svg
    assert np.array_equal(first.pixels, second.pixels)


def test_ids_carry_the_prefix_and_only_those_referred_to_are_left() -> None:
    svg = draw_panel(scatter, Sheet(), prefix="left").svg
    ids = re.findall(r' id="([^"]+)"', svg)
    assert ids
    assert all(name.startswith("left-") for name in ids)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))


def test_coordinates_have_two_decimals_and_texts_keep_theirs() -> None:
    svg = draw_panel(scatter, Sheet(), prefix="x").svg
    assert "0.123456 &amp; more" in svg
    assert re.search(r'd="[^"]*\.\d{3}', svg) is None


def test_nothing_that_names_the_day_the_library_or_a_font_remains() -> None:
    svg = draw_panel(scatter, Sheet(), heading="Depth", prefix="x").svg
    for word in ("<metadata", "matplotlib", "DejaVu", "<style", "<!--", "xlink:"):
        assert word not in svg
    assert "font-weight: 700; font-size: 9.5px" in svg
    assert "rotate(" not in svg


def test_pixels_have_the_size_and_stand_on_white() -> None:
    made = draw_panel(scatter, Sheet(width=144, height=72), prefix="x")
    assert made.pixels.shape == (PNG_DPI, 2 * PNG_DPI, 3)
    assert made.pixels[0, 0].tolist() == [255, 255, 255]
    assert made.pixels.min() < 100


def figure(num_panels: int, columns: int) -> Figure:
    panels = tuple(
        draw_panel(scatter, Sheet(width=100, height=80), prefix=f"p{n}") for n in range(num_panels)
    )
    return Figure(
        slug="x",
        title="A < B",
        caption="",
        num="",
        alt='says "x"',
        panels=panels,
        data=pd.DataFrame(),
        columns=columns,
    )


def test_a_standalone_svg_is_well_formed_and_holds_every_panel_side_by_side() -> None:
    root = ElementTree.fromstring(figure(3, 2).standalone_svg())
    space = "{http://www.w3.org/2000/svg}"
    places = [(child.get("x"), child.get("y")) for child in root.findall(f"{space}svg")]
    assert places == [("0", "0"), ("114", "0"), ("0", "94")]
    assert root.get("viewBox") == "0 0 214 174"
    assert root.get("aria-label") == 'says "x"'
    assert INK.light in ElementTree.tostring(root, encoding="unicode")


def test_a_png_holds_every_panel() -> None:
    png = figure(2, 2).png()
    assert png.startswith(b"\x89PNG")
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    assert (width, height) == (math.ceil(214 * PNG_DPI / 72), math.ceil(80 * PNG_DPI / 72))
