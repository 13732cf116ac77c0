"""Files with examples are read chunk by chunk; what cannot be read is named."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trainables.base.errors import InputError
from trainables.data.column_encoding import ColumnEncoding
from trainables.use.input_files import InputFile, chunk_size
from trainables.use.preprocessing import Preprocessing

IMAGE = Preprocessing(kind="image", shape=(4, 4), low=0.0, high=16.0)
COLOUR = Preprocessing(kind="image", shape=(3, 4, 4))
TEXT = Preprocessing(kind="text", shape=(2,), terms=("bad", "good"))
TABLE = Preprocessing(
    kind="table",
    shape=(3,),
    columns=(
        ColumnEncoding(name="size", kind="number"),
        ColumnEncoding(name="colour", kind="category", names=("1", "2")),
    ),
    left_out=("label",),
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read three rows at a time."""
    monkeypatch.setattr("trainables.use.input_files.MAX_ROWS", 3)


def encoded(path: Path, preprocessing: Preprocessing, **options: Any) -> list[list[float]]:
    """Return a file's examples as the network gets them, flat."""
    parts = [
        preprocessing.encode(rows.examples, first_row=rows.first_row)
        for rows in InputFile(path=path, **options).chunks(preprocessing)
    ]
    flat: list[list[float]] = np.concatenate([part.reshape(len(part), -1) for part in parts]).tolist()
    return flat


def refused(path: Path, preprocessing: Preprocessing, *words: str, **options: Any) -> None:
    """Check that a file is refused with these words."""
    with pytest.raises(InputError) as caught:
        encoded(path, preprocessing, **options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_tables(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{ending}"
    table = pd.DataFrame({"colour": [1, 2, 1, 2], "size": [1.5, 2, 3, 4], "label": ["x"] * 4})
    table.to_parquet(path) if ending == ".parquet" else table.to_csv(path, index=False)
    assert encoded(path, TABLE) == [[1.5, 1, 0], [2, 0, 1], [3, 1, 0], [4, 0, 1]]
    (first, second) = InputFile(path=path, target="label").chunks(TABLE)
    assert (first.first_row, first.num_rows, second.first_row, second.num_rows) == (1, 3, 4, 1)
    assert first.labels is not None
    assert first.labels.tolist() == ["x"] * 3


def test_separators_byte_order_marks_and_ignored_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\ufeffsize;colour;more\n1;2;x\n", encoding="utf-8")
    assert encoded(path, TABLE, ignored=("more",)) == [[1, 0, 1]]
    refused(path, TABLE, "column more was not in the training data")


def test_rows_are_counted_over_chunks(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("size,colour\n" + "1,1\n" * 4 + "x,1\n", encoding="utf-8")
    refused(path, TABLE, "row 5, column size: 'x' is no number")


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("size,colour\n1,1\n2\n", encoding="utf-8")
    refused(path, TABLE, "row 2 has 1 cells, the header 2")
    path.write_text("size,colour\n1,1,5\n", encoding="utf-8")
    refused(path, TABLE, "row 1 has 3 cells, the header 2")
    path.write_text("size,colour\n" + "1,1\n" * 5 + "1,1,5\n", encoding="utf-8")
    refused(path, TABLE, "row 6 has 3 cells, the header 2")
    path.write_text("", encoding="utf-8")
    refused(path, TABLE, "the file is empty")
    path.write_text("size,colour\n", encoding="utf-8")
    refused(path, TABLE, "has no examples")
    path.write_bytes(b"size,colour\n1,\xff\n")
    refused(path, TABLE, "is not UTF-8")
    path.write_text(",size,colour\n0,1,1\n", encoding="utf-8")
    refused(path, TABLE, "column 1 has no name", "index=False")
    refused(path, TABLE, "--target x", target="x")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 nothing")
    refused(tmp_path / "rows.parquet", TABLE, "is no Parquet file")
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"size,colour\n1,1\n")[:-4])
    refused(tmp_path / "rows.csv.gz", TABLE, "rows.csv.gz")


def test_a_million_columns_are_refused_before_a_row_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{number}" for number in range(1_000_000)) + "\n", encoding="utf-8")
    refused(path, TABLE, "column size is missing", "more")


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(64).reshape(4, 4, 4))
    assert np.array(encoded(path, IMAGE)).ravel().tolist() == list(range(64))
    np.save(path, np.zeros((4, 5)))
    refused(path, IMAGE, "an example has 4 x 4")
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused(path, IMAGE, "is no array of numbers")
    path.write_bytes(b"")
    refused(path, IMAGE, "is no array of numbers")
    np.save(path, np.zeros((0, 16)))
    refused(path, IMAGE, "has no examples")
    np.save(path, np.zeros(()))
    refused(path, IMAGE, "holds one number")


def test_images_and_folders_of_them(tmp_path: Path) -> None:
    grey = np.arange(16).reshape(4, 4) * 17
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "b.png")
    Image.fromarray(np.stack([grey] * 3, -1).astype(np.uint8)).save(tmp_path / "a.PNG")
    (tmp_path / "notes.md").touch()
    assert encoded(tmp_path / "b.png", IMAGE)[0] == pytest.approx((grey.ravel() * 16 / 255).tolist())
    (rows,) = InputFile(path=tmp_path).chunks(IMAGE)
    assert rows.names == ("a.PNG", "b.png")
    both = encoded(tmp_path, IMAGE)
    assert both[0] == pytest.approx(both[1], abs=0.1), "a grey image in colour is the same image"
    assert encoded(tmp_path / "b.png", COLOUR)[0] == pytest.approx(np.tile(grey.ravel() / 255, 3).tolist())


def test_images_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    refused(tmp_path / "broken.png", IMAGE, "broken.png is no image that can be read")
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(tmp_path / "broken.png")
    refused(tmp_path / "broken.png", IMAGE, "5 x 4 pixels, and the model takes 4 x 4")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", IMAGE, "has no examples")
    refused(tmp_path, TEXT, "holds images, and the model takes texts")


def test_texts(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("good\n\nbad bad\ngood bad\n", encoding="utf-8")
    assert encoded(path, TEXT) == [[0, 1], [0, 0], [2, 0], [1, 1]]
    path.write_bytes(b"good\n\xff\xfe\n")
    refused(path, TEXT, "is not UTF-8")
    table = tmp_path / "texts.csv"
    table.write_text('id,review\n7,"good, bad"\n8,12\n', encoding="utf-8")
    assert encoded(table, TEXT) == [[1, 1], [0, 0]]
    table.write_text("one,two\ngood,bad\n", encoding="utf-8")
    refused(table, TEXT, "--column NAME")
    assert encoded(table, TEXT, text_column="two") == [[1, 0]]


def test_other_files_are_refused_by_their_ending(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.csv", TABLE, "no such file")
    for name in ("model.pkl", "model.pt"):
        (tmp_path / name).touch()
        refused(tmp_path / name, TABLE, "may hold a pickle")
    (tmp_path / "rows.xlsx").touch()
    refused(tmp_path / "rows.xlsx", TABLE, "names no format that can be read")


def test_a_chunk_holds_a_bounded_number_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainables.use.input_files.MAX_ROWS", 20_000)
    assert chunk_size(IMAGE) == 20_000
    assert chunk_size(Preprocessing(kind="array", shape=(40_000,))) == 100
    assert chunk_size(Preprocessing(kind="array", shape=(10_000_000,))) == 1


def test_a_name_that_is_no_utf_8_stands_with_a_sign_for_it(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / name)
    (rows,) = InputFile(path=tmp_path).chunks(IMAGE)
    assert rows.names == ("caf\N{REPLACEMENT CHARACTER}.png",)


def test_numpys_advice_to_run_a_pickle_is_not_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused(path, IMAGE, "is no array of numbers (it is not of this format, or holds Python objects)")
    path.write_bytes(b"no array")
    refused(path, IMAGE, "is no array of numbers (it is not of this format, or holds Python objects)")
