"""A page that was mailed alone: its links save what lies beside the page it was copied from, in a real browser."""

import base64
import re
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from reports.inputs.inputs import Value
from reports.pages import downloads
from reports.pages.downloads import kept_files
from reports.pages.page import write_report
from reports.pages.two_studies import write_comparison
from tests.browser import Browser
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs

HOSTILE = "</script><b>'\"&amp;\u202e$x$"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small report, whose levels have hostile names."""
    factors: dict[str, tuple[Value, ...]] = {"depth": (3, 7), "init": (HOSTILE, "]]>&#7;")}
    inputs = sample_inputs(factors, num_blocks=3, rates=1)
    return write_report(inputs, tmp_path_factory.mktemp("report")).parent


@pytest.fixture
def mailed(folder: Path, tmp_path: Path) -> Path:
    """The page alone in an empty folder."""
    return Path(shutil.copy(folder / "report.html", tmp_path))


def link(name: str) -> str:
    return f"document.querySelector('a[href=\"{name}\"]')"


def links(chromium: Browser, ending: str) -> list[str]:
    anchors = f"[...document.querySelectorAll('a[href$=\"{ending}\"]')]"
    found: list[str] = chromium.evaluate(f"[...new Set({anchors}.map((each) => each.getAttribute('href')))]")
    return found


@pytest.mark.parametrize("ending", [".svg", ".csv"])
def test_every_figure_and_its_data_are_saved_as_they_lie_beside_the_page(
    folder: Path, mailed: Path, tmp_path: Path, chromium: Browser, ending: str
) -> None:
    chromium.open(mailed)
    names = links(chromium, ending)
    assert len(names) > 10
    for place, name in enumerate(names):
        if place % 9 == 8:
            chromium.open(mailed)  # a page may save ten files without being asked
        saved = chromium.download(link(name), tmp_path / "saved")
        assert saved.name == Path(name).name
        assert saved.read_bytes() == (folder / name).read_bytes(), name
    assert chromium.complaints == []


@pytest.mark.parametrize("name", ["report.json", "analysis.md"])
def test_the_numbers_and_the_analysis_are_saved_too(
    folder: Path, mailed: Path, tmp_path: Path, chromium: Browser, name: str
) -> None:
    chromium.open(mailed)
    assert chromium.download(link(name), tmp_path / "saved").read_bytes() == (folder / name).read_bytes()


def test_a_png_is_drawn_from_the_page_at_the_size_of_its_file(
    folder: Path, mailed: Path, tmp_path: Path, chromium: Browser
) -> None:
    chromium.open(mailed)
    name = links(chromium, ".png")[-1]
    with (
        Image.open(chromium.download(link(name), tmp_path / "saved")) as drawn,
        Image.open(folder / name) as file,
    ):
        assert drawn.format == "PNG"
        assert drawn.size == pytest.approx(file.size, abs=1)
        colours = drawn.convert("RGB").getcolors(1 << 24) or []
        assert len(colours) > 10
    assert chromium.complaints == []


def test_a_page_of_two_studies_hands_out_its_files_too(
    folder: Path, tmp_path: Path, chromium: Browser
) -> None:
    inputs = sample_inputs(SMALL, num_blocks=3, rates=1)
    page = write_comparison(inputs, replace(inputs, study="another"), tmp_path / "both")
    alone = Path(shutil.copy(page, tmp_path))
    chromium.open(alone)
    for name in ("comparison.json", links(chromium, ".svg")[0], links(chromium, ".csv")[0]):
        saved = chromium.download(link(name), tmp_path / "saved")
        assert saved.read_bytes() == (page.parent / name).read_bytes()


def test_files_are_kept_whole_until_there_is_no_room_and_the_longest_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = bytes(range(256)) * 4
    kept = kept_files([], {"b": noise, "a": b"1"}, {"report.json": b"{}"})
    assert list(kept) == ["figures/", "report.json", "frames/a.csv", "frames/b.csv"]
    assert zlib.decompress(base64.b64decode(kept["frames/b.csv"])) == noise
    monkeypatch.setattr(downloads, "MOST_CHARACTERS", sum(map(len, kept.values())) - 1)
    assert list(kept_files([], {"b": noise, "a": b"1"}, {"report.json": b"{}"})) == list(kept)[:-1]


def test_a_link_to_data_that_are_left_out_says_that_it_leads_beside_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_CHARACTERS", 0)
    html = write_report(sample_inputs(SMALL, num_blocks=3, rates=1), tmp_path).read_text(encoding="utf-8")
    assert html.count("Too large to be kept in this page") == len(re.findall(r'href="frames/\w+\.csv"', html))
    assert 'data-file="report.json"' in html
