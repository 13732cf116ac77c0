"""`studies report --pdf`: printed by a real Chromium, and without one a message that says how."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from studies.base.errors import StudiesError, UsageError
from studies.exchange import pdf
from studies.report import main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, pdf.NAMES)), reason="no Chromium is installed; nothing can be printed"
)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, empty at first; no variable names a browser."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv(pdf.VARIABLE, raising=False)
    return folder


def pretended(tmp_path: Path, code: str) -> str:
    """A program that is no browser."""
    program = tmp_path / "browser"
    program.write_text(f"#!{sys.executable}\nimport sys, time, os\n{code}\n")
    program.chmod(0o700)
    return str(program)


@needs_browser
def test_a_page_becomes_a_pdf(
    cells: RecordedStudy, tmp_path: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out" / "trial.pdf"
    assert main([CELLS, "--trial", "5", "--pdf", str(path)]) == 0
    found = capsys.readouterr()
    assert found.out.splitlines() == [str(tmp_path / "runs" / CELLS / "trials" / "trial-5.html")]
    assert f"Printed: {path}" in found.err
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    assert 1 < len(re.findall(rb"/Type ?/Page\b", content)) < 10
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(scratch.iterdir()) == []


def test_without_a_browser_the_message_says_how_and_nothing_is_made(
    cells: RecordedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(pdf, "PLACES", ())
    assert main([CELLS, "--pdf", "report.pdf"]) == 2
    said = capsys.readouterr().err
    assert "no Chromium, Chrome or Edge was found" in said
    assert "apt install chromium" in said
    assert "print it to a PDF file" in said
    assert not (tmp_path / "runs" / CELLS / "report.html").exists()


def test_a_variable_names_the_browser_and_is_refused_if_it_names_none(tmp_path: Path) -> None:
    program = pretended(tmp_path, "")
    assert pdf.find_browser({pdf.VARIABLE: program, "PATH": ""}) == program
    with pytest.raises(UsageError, match="CHROME_PATH names nowhere"):
        pdf.find_browser({pdf.VARIABLE: "nowhere", "PATH": os.defpath})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('it broke\\n'); sys.exit(1)", "it wrote no PDF: it broke"),
        (
            "open([a for a in sys.argv if a.startswith('--print-to-pdf=')][0][15:], 'w').write('half')",
            "wrote no PDF",
        ),
        ("time.sleep(60)", "longer than 0.5 s"),
    ],
)
def test_a_browser_that_fails_leaves_the_file_of_before_and_no_folder(
    tmp_path: Path, scratch: Path, code: str, said: str
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"of before")
    with pytest.raises(StudiesError, match=re.escape(said)) as caught:
        pdf.export(
            tmp_path / "page.html",
            path,
            browser=pretended(tmp_path, code),
            seconds=0.5 if "sleep" in code else 30,
        )
    assert "print it to a PDF file there" in str(caught.value)
    assert path.read_bytes() == b"of before"
    assert list(scratch.iterdir()) == []


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text("")
    with pytest.raises(StudiesError, match="did not print the page: permission denied"):
        pdf.export(tmp_path / "page.html", tmp_path / "report.pdf", browser=str(program))


def test_an_interrupted_printing_ends_the_browser_and_its_processes(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = pretended(
        tmp_path,
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.fork() or os.getpid()))\ntime.sleep(60)",
    )
    wait = subprocess.Popen.wait
    calls: list[float | None] = []

    def interrupted(process: "subprocess.Popen[bytes]", timeout: float | None = None) -> int:
        calls.append(timeout)
        if timeout is not None:
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
                time.sleep(0.01)
            raise KeyboardInterrupt
        return wait(process)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pdf.export(tmp_path / "page.html", tmp_path / "report.pdf", browser=program)
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "report.pdf").exists()
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("name", ["report.html", "report"])
def test_a_name_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.pdf"):
        pdf.check(Path(name))
