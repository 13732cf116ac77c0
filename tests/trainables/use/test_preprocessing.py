"""Raw inputs become what a network takes; what cannot is named with its row and column."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainables.base.errors import InputError
from trainables.data.column_encoding import ColumnEncoding
from trainables.use.preprocessing import Preprocessing

TABLE = Preprocessing(
    kind="table",
    shape=(5,),
    columns=(
        ColumnEncoding(name="size", kind="number", offset=10.0),
        ColumnEncoding(name="age", kind="number", has_missing=True),
        ColumnEncoding(name="colour", kind="category", names=("green", "red")),
    ),
    left_out=("id", "label"),
    may_miss=True,
)
IMAGE = Preprocessing(kind="image", shape=(2, 3))
TEXT = Preprocessing(kind="text", shape=(3,), terms=("film", "good", "good film"))


def rows(**changes: Any) -> pd.DataFrame:
    """Return two rows for TABLE."""
    return pd.DataFrame({"size": [11.0, 12.0], "age": [3.0, np.nan], "colour": ["red", "green"], **changes})


def refused(preprocessing: Preprocessing, examples: Any, *words: str) -> None:
    """Check that these examples are refused with these words."""
    with pytest.raises(InputError) as caught:
        preprocessing.encode(examples)
    for word in words:
        assert word in str(caught.value)


def test_a_tables_rows() -> None:
    assert TABLE.encode(rows()).tolist()[0] == [1.0, 3.0, 0.0, 0.0, 1.0]
    second = TABLE.encode(rows()).tolist()[1]
    assert second[0] == 2.0
    assert np.isnan(second[1])
    assert second[2:] == [1.0, 1.0, 0.0]
    assert TABLE.feature_names == ("size", "age", "age is missing", "colour=green", "colour=red")


def test_order_and_left_out_columns_do_not_matter() -> None:
    wide = rows(id=["a", "b"], label=["x", "y"])[["label", "colour", "id", "age", "size"]]
    assert TABLE.encode(wide).tobytes() == TABLE.encode(rows()).tobytes()


def test_an_unknown_category_is_told_and_counts_as_none() -> None:
    notes: list[str] = []
    made = TABLE.encode(rows(colour=["blue", "red"]), notes=notes)
    assert made[:, 3:].tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert notes == [
        "column colour: 1 cell has a category that no training row had ('blue'), which counts as none of the known ones"
    ]


def test_mistakes_of_a_table_have_row_and_column() -> None:
    refused(TABLE, rows(size=["x", "12"]), "row 1, column size: 'x' is no number")
    refused(TABLE, rows(size=[np.nan, 12]), "row 1, column size: the value is missing")
    refused(TABLE, rows(size=[1e39, 12]), "row 1, column size", "too large")
    refused(TABLE, rows(size=[np.inf, 12]), "row 1, column size", "too large")
    refused(TABLE, rows().drop(columns=["age"]), "column age is missing")
    refused(TABLE, rows(extra=[1, 2]), "column extra was not in the training data")
    refused(TABLE, rows().rename(columns={"colour": "color"}), "column colour is missing (color is there)")
    refused(TABLE, np.zeros((2, 3)), "names for its columns", "of type ndarray", "pandas.DataFrame")


def test_many_mistakes_are_cut() -> None:
    wide = pd.DataFrame(np.zeros((1, 2000)), columns=[f"c{number}" for number in range(2000)])
    with pytest.raises(InputError) as caught:
        TABLE.encode(wide)
    assert len(caught.value.mistakes) <= 11
    assert "and 1,993 more" in str(caught.value)


@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 6)])
def test_numbers_may_be_flat_or_in_shape(shape: tuple[int, ...]) -> None:
    assert IMAGE.encode(np.arange(24).reshape(shape)).shape == (4, 2, 3)


def test_other_shapes_are_named() -> None:
    refused(
        IMAGE,
        np.zeros((4, 5)),
        "an example has 2 x 3 values in the training data, and 5 values here",
        "(examples, 2, 3)",
    )
    refused(IMAGE, np.zeros((2, 3)), "one example of 2 x 3 values", "inputs[None]")
    refused(IMAGE, [["a"]], "row 1, column 1: 'a' is no number")
    refused(IMAGE, np.full((1, 6), np.nan), "row 1, column 1: nan")
    refused(IMAGE, np.array([[0, 0, 0, 0, 0, 0], [0, np.inf, 0, 0, 0, 0]]), "row 2, column 2: inf")


def test_texts_are_counted_as_words_and_pairs() -> None:
    assert TEXT.encode(["A good film, a GOOD one.", ""]).tolist() == [[1, 2, 1], [0, 0, 0]]
    assert TEXT.encode(pd.DataFrame({"any": ["film film"]})).tolist() == [[2, 0, 0]]
    assert TEXT.encode(["film " * 300]).max() == 255
    refused(TEXT, "one text", "was given one text")
    refused(TEXT, ["good", None], "row 2: a text is needed, got None")


@given(
    st.builds(
        Preprocessing,
        kind=st.sampled_from(["image", "array", "text", "table"]),
        shape=st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple),
        terms=st.lists(st.text()).map(tuple),
        left_out=st.lists(st.text()).map(tuple),
        columns=st.lists(
            st.builds(
                ColumnEncoding,
                name=st.text(),
                kind=st.sampled_from(["number", "category", "text"]),
                has_missing=st.booleans(),
                names=st.lists(st.text()).map(tuple),
                offset=st.floats(allow_nan=False, allow_infinity=False),
                reading=st.none() | st.text(),
            )
        ).map(tuple),
        low=st.floats(-5, 5),
        high=st.floats(-5, 5),
        may_miss=st.booleans(),
    )
)
def test_it_survives_its_file(preprocessing: Preprocessing) -> None:
    assert Preprocessing.from_dict(json.loads(json.dumps(preprocessing.to_dict()))) == preprocessing


@given(st.lists(st.text(max_size=8), min_size=1, max_size=20))
def test_any_texts_in_a_category_are_encoded(texts: list[str]) -> None:
    made = TABLE.encode(
        pd.DataFrame({"size": [1.0] * len(texts), "age": [1.0] * len(texts), "colour": ["red"] * len(texts)})
    )
    assert made[:, 4].tolist() == [1.0] * len(texts)
    column = Preprocessing(
        kind="table",
        shape=(3,),
        columns=(ColumnEncoding(name="c", kind="category", names=("red", "x"), has_missing=True),),
    )
    encoded = column.encode(pd.DataFrame({"c": texts}))
    for text, row in zip(texts, encoded.tolist(), strict=True):
        assert row[:2] == [float(text == "red"), float(text == "x")]


def test_images_of_pillow_are_read_as_files_are() -> None:
    bytes_ = np.arange(6, dtype=np.uint8).reshape(2, 3) * 51
    grey = Image.fromarray(bytes_)
    scaled = Preprocessing(kind="image", shape=(2, 3), low=0.0, high=1.0)
    assert scaled.encode([grey, grey]) == pytest.approx(np.stack([bytes_, bytes_]) / 255)
    assert scaled.encode(grey).shape == (1, 2, 3)
    with pytest.raises(InputError, match="image 8: 2 x 2 pixels, and the model takes 2 x 3"):
        scaled.encode([grey, grey.resize((2, 2))], first_row=7)
    refused(scaled, [Image.fromarray(np.zeros((2, 3), np.float32))], "real numbers for pixels")
    deep = Image.fromarray(np.array([[0, 256, 65535]] * 2, np.uint16))
    assert scaled.encode([deep])[0, 0] == pytest.approx([0, 1 / 255, 1])


def test_a_frame_of_numbers() -> None:
    frame = pd.DataFrame(np.arange(12.0).reshape(2, 6))
    assert IMAGE.encode(frame[frame.columns[::-1]]).tolist() == IMAGE.encode(frame).tolist()
    assert IMAGE.encode(frame.astype("category")).tolist() == IMAGE.encode(frame).tolist()
    assert IMAGE.encode(frame.convert_dtypes()).tolist() == IMAGE.encode(frame).tolist()
    bad = frame.astype(object).set_axis(["a", "b", "c", "d", "e", "e"], axis=1)
    bad.iloc[1, 5] = "x"
    refused(IMAGE, bad, "row 2, column e: 'x' is no number")
    refused(IMAGE, frame.apply(pd.to_datetime), "row 1, column 0: Timestamp", "is no number")


@pytest.mark.parametrize(
    "cells", [[1j, 2j], list(pd.interval_range(0, 2)), pd.period_range("2020", periods=2)]
)
def test_cells_of_a_type_that_is_no_number_are_told(cells: Any) -> None:
    refused(TABLE, rows(age=cells), "row 1, column age", "is no number")


def test_what_is_no_list_of_texts_is_told() -> None:
    for wrong in (None, 3, b"good", {"good": 1}):
        refused(TEXT, wrong, f"an object of type {type(wrong).__name__}")
    refused(TEXT, ["good", 3, b"film"], "row 2: a text is needed, got 3", "row 3: a text is needed")
    refused(TEXT, pd.Series(["good", pd.NA], dtype="string"), "row 2: a text is needed")
    assert TEXT.encode(text for text in ["good"]).tolist() == [[0, 1, 0]]
    assert TEXT.encode(np.array("good")).tolist() == [[0, 1, 0]]
    assert TEXT.encode(pd.Series(["good"], index=[7], dtype="category")).tolist() == [[0, 1, 0]]


def test_long_names_of_columns_are_cut() -> None:
    with pytest.raises(InputError) as caught:
        TABLE.check_columns(["size", "age", "colour", "\0" * 5000])
    assert len(str(caught.value)) < 300
