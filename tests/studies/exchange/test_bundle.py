"""`studies report --bundle`: one file that unpacks to a page whose links work, whole or not at all."""

import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from studies.base.steps import silent
from studies.database.frames import frames
from studies.database.lookup import find
from studies.database.store import Store
from studies.exchange import bundle
from studies.exchange.bundle import Member, zipped
from studies.exchange.destinations import write_file
from studies.export import main as export
from studies.report import main
from studies.results.recorded import RecordedStudy
from studies.results.report_inputs import Findings
from tests.browser import Browser
from tests.studies.exchange.conftest import CELLS
from tests.studies.samples.laid_out import lay_out


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A bundle of the sample's study, and where that study is."""

    path: Path
    storage: str
    output: Path

    @property
    def where(self) -> list[str]:
        """The options that find the study."""
        return ["--storage", self.storage, "--output", str(self.output)]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """The bundle, made by the command."""
    folder = tmp_path_factory.mktemp("bundle")
    made = Packed(
        path=folder / "out" / "cells.zip", storage=lay_out("plan_4", folder), output=folder / "runs"
    )
    said, told = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(told):
        assert main([CELLS, *made.where, "--bundle", str(made.path)]) == 0
    assert said.getvalue() == f"{made.output / CELLS / 'report.html'}\n"
    assert f"Packed: {made.path}" in told.getvalue()
    return made


@pytest.fixture
def unpacked(packed: Packed, tmp_path: Path) -> Path:
    """The page of a bundle that was unpacked elsewhere."""
    with zipfile.ZipFile(packed.path) as archive:
        archive.extractall(tmp_path)
    return tmp_path / CELLS / "report.html"


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_all_that_its_readme_names_in_one_folder(packed: Packed) -> None:
    files = members(packed.path)
    assert {name.partition("/")[0] for name in files} == {CELLS}
    assert next(iter(files)) == f"{CELLS}/README.txt"
    readme = files[f"{CELLS}/README.txt"].decode()
    for named in ("report.html", "report.json", "analysis.md", "figures/", "frames/", "trials/"):
        assert f"\n{named}\n" in readme
        assert any(name.startswith(f"{CELLS}/{named}") for name in files)
    assert f"studies export {CELLS} --model DIR" in readme


def test_its_frames_are_those_of_an_export(packed: Packed, tmp_path: Path) -> None:
    assert export([CELLS, *packed.where, "--frames", str(tmp_path / "frames")]) == 0
    files = members(packed.path)
    frames = sorted((tmp_path / "frames").glob("*.csv"))
    assert len(frames) > 10
    for frame in frames:
        assert files[f"{CELLS}/frames/{frame.name}"] == frame.read_bytes(), frame.name


def test_what_is_recorded_is_read_whole_where_the_page_does_with_less(
    packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.database.frames.extent.MOST_ROWS", 1)
    path, page = tmp_path / "cells.zip", packed.output / CELLS / "report.html"
    with Store.open(packed.storage, create=False) as store:
        study = find(store, CELLS)
        findings = Findings.of(store, study)
        bundle.export(store, study, findings, page, path, tell=silent)
        whole = frames.gradients(store, study.id)
    with zipfile.ZipFile(path) as archive, archive.open(f"{CELLS}/frames/gradients.csv") as file:
        assert len(pd.read_csv(file)) == len(whole) > len(findings.inputs.gradients)


def test_unpacked_its_links_lead_to_files_of_it_and_every_page_opens(
    unpacked: Path, chromium: Browser
) -> None:
    links = "[...document.querySelectorAll('a[href]')].map((each) => each.getAttribute('href'))"
    seen = {unpacked}
    waiting = [unpacked]
    while waiting:
        here = waiting.pop()
        chromium.open(here)
        assert chromium.complaints == []
        for link in chromium.evaluate(links):
            target = (here.parent / link.partition("#")[0]).resolve() if not link.startswith("#") else here
            assert target.exists(), f"{here.name} leads to {link}"
            if target.suffix == ".html" and target not in seen:
                seen.add(target)
                waiting.append(target)
    assert len(seen) == 1 + 2  # the report, and the page of each cell's trial


def test_a_cell_leads_to_its_trial_and_back(unpacked: Path, chromium: Browser) -> None:
    chromium.open(unpacked)
    name = chromium.evaluate("document.querySelector('#cell-2 a').getAttribute('href')")
    chromium.open(unpacked.parent / name)
    back = chromium.evaluate("document.querySelector('.steps a').getAttribute('href')")
    assert back == "../report.html#cell-2"
    chromium.open(unpacked, "cell-2")
    assert chromium.evaluate("document.getElementById('cell-2').checkVisibility()")


def test_the_same_files_give_the_same_bytes_and_the_owner_alone_may_read_them(packed: Packed) -> None:
    with zipfile.ZipFile(packed.path) as archive:
        infos = archive.infolist()
    contents = [Member(name="a", parts=[b"1", b"2"]), Member(name="b", parts=[])]
    assert b"".join(zipped("x", contents)) == b"".join(zipped("x", contents))
    assert {info.date_time for info in infos} == {bundle.MADE_AT}
    assert stat.S_IMODE(packed.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(packed.path.parent.stat().st_mode) == 0o700


def test_a_large_member_may_pass_4_gigabytes() -> None:
    content = b"".join(zipped("x", [Member(name="a", parts=[b"1"], most_bytes=1 << 40)]))
    (info,) = zipfile.ZipFile(io.BytesIO(content)).infolist()
    assert info.extract_version >= zipfile.ZIP64_VERSION


def test_links_and_names_that_lead_out_are_not_packed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("secret")
    folder = tmp_path / "study"
    (folder / "frames").mkdir(parents=True)
    (folder / "frames" / "a.csv").symlink_to(secret)
    page = folder / "report.html"
    page.write_text(
        '<a href="frames/a.csv"><a href="frames/../../secret.csv"><a href="/etc/passwd"><a href="figures/b.svg">'
    )
    assert [member.name for member in bundle._files(page)] == ["report.html"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("cells.tar", "ends in .zip"), ("folder.zip", "is a folder"), ("file/x.zip", "is a file")],
)
def test_a_place_that_will_not_do_is_refused_before_anything_is_made(
    cells: RecordedStudy, tmp_path: Path, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "file").write_text("")
    assert main([CELLS, "--bundle", name]) == 2
    found = capsys.readouterr().err
    assert said in found
    assert "--bundle" in found.splitlines()[-1]
    assert not (tmp_path / "runs" / CELLS / "report.html").exists()


def test_what_is_there_stays_until_the_new_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "cells.zip"
    path.write_bytes(b"of before")

    def parts() -> Iterator[bytes]:
        yield b"1"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"cells\.zip"):
        write_file(path, zipped("x", [Member(name="a", parts=parts())]))
    assert path.read_bytes() == b"of before"
    assert list(tmp_path.iterdir()) == [path]
