"""What becomes of the columns of a table of one's own, what is told of each, and how a user says otherwise."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainables import datasets
from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError
from trainables.data.tables.table_options import TableOptions

NUM_ROWS = 40


def table(folder: Path, separator: str = ",", **columns: list[str]) -> Path:
    """Write a table with these columns, the classes last; return its path."""
    columns["kind"] = ["cat", "dog"] * (NUM_ROWS // 2)
    rows = [separator.join(cells) for cells in zip(*columns.values(), strict=True)]
    path = folder / "pets.csv"
    path.write_text("\n".join([separator.join(columns), *rows]) + "\n", encoding="utf-8")
    return path


def load(path: Path, **options: object) -> Dataset:
    return datasets.load(f"csv:{path}", table=TableOptions(**{"target": "kind", **options}))  # type: ignore[arg-type]


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(DatasetError) as told:
        load(path, **options)
    return told.value.message


def with_cells(*special: str) -> list[str]:
    """Return a column of numbers that begins with other cells."""
    return [*special, *(f"{n}.5" for n in range(NUM_ROWS - len(special)))]


def test_numbers_with_a_decimal_comma_are_numbers(tmp_path: Path) -> None:
    sizes = [f"{n},5" for n in range(NUM_ROWS)]
    dataset = load(table(tmp_path, ";", size=sizes))
    assert dataset.inputs[:, 0].tolist() == [n + 0.5 for n in range(NUM_ROWS)]
    assert dataset.notes == ("column size: read with a decimal comma",)
    (target, size) = dataset.columns
    assert (target.name, target.becomes) == ("kind", "2 classes")
    assert (size.kind, size.num_missing, size.examples) == ("number", 0, ("0,5", "1,5", "2,5"))


@pytest.mark.parametrize("missing", ["?", "-", "NA", "n/a", "NULL", "None", "nan", " ", "–"])
def test_signs_for_nothing_are_missing_and_told(tmp_path: Path, missing: str) -> None:
    dataset = load(table(tmp_path, size=with_cells(*[missing] * 15)))
    assert np.isnan(dataset.inputs[:15, 0]).all()
    assert dataset.inputs[15:, 0].tolist() == [n + 0.5 for n in range(25)]
    assert dataset.inputs[:, 1].tolist() == [1] * 15 + [0] * 25
    assert dataset.columns[1].num_missing == 15
    told = () if missing == " " else (f"column size: {missing!r} counts as missing",)
    assert dataset.notes == told


def test_a_word_among_numbers_is_refused_until_the_user_says_what_it_is(tmp_path: Path) -> None:
    path = table(tmp_path, size=with_cells(*["big", "small"] * 9))
    assert "row 1, column size: 'big' among numbers" in refusal(path)
    numbers = load(path, columns={"size": "number"})
    assert np.isnan(numbers.inputs[:18, 0]).all()
    assert numbers.notes == ("column size: 18 cells that are no numbers count as missing ('big', 'small')",)
    assert load(path, columns={"size": "category"}).num_features == 24
    with pytest.raises(DatasetError, match="no column is left to learn from"):
        load(path, columns={"size": "ignore"})


def test_mostly_texts_stay_categories(tmp_path: Path) -> None:
    pressures = ["126/83", "120/80", "95", "110"] * 10
    dataset = load(table(tmp_path, pressure=pressures))
    assert dataset.num_features == 4
    assert dataset.columns[1].becomes == "4 features (0/1)"


def test_what_no_cell_settles_is_refused_with_both_ways(tmp_path: Path) -> None:
    path = table(tmp_path, ";", size=[f"{n + 1},{n + 100}" for n in range(NUM_ROWS)])
    told = refusal(path)
    assert "row 1, column size: '1,100' may be read" in told
    for kind, factor in (("number:decimal_comma", 1), ("number:decimal_point", 1000)):
        assert kind in told
        inputs = load(path, columns={"size": kind}).inputs[:, 0]
        assert inputs.tolist() == [np.float32((n + 1 + (n + 100) / 1000) * factor) for n in range(NUM_ROWS)]


def test_names_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    names = [f"Rex the {n}th" for n in range(NUM_ROWS)]
    path = table(tmp_path, name=names, size=with_cells())
    dataset = load(path)
    assert dataset.num_features == 1
    assert "column name: left out, as nearly every row has a text of its own" in dataset.notes[0]
    assert dataset.columns[1].becomes == "left out"
    assert dataset.about.endswith("missing values in 0, 1 other columns left out")
    assert load(path, columns={"name": "category"}).num_features == 1 + NUM_ROWS


def test_a_text_gives_its_words(tmp_path: Path) -> None:
    notes = [f"{'Friendly' if n % 4 else 'shy'} dog, number{n}" for n in range(NUM_ROWS)]
    path = table(tmp_path, ";", note=notes)
    dataset = load(path, columns={"note": "text"})
    assert dataset.columns[1].becomes == "3 features (0/1)", (
        "dog, friendly and shy; a number is one row's own"
    )
    assert dataset.inputs[:2].tolist() == [[1, 0, 1], [1, 1, 0]]
    assert "no word that 5 rows have" in refusal(
        table(tmp_path, note=[f"number{n}" for n in range(NUM_ROWS)]), columns={"note": "text"}
    )


def test_categories_that_are_spelled_alike_are_told(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, colour=["red", "red ", "Red", "blue"] * 10))
    assert dataset.num_features == 4
    assert "'Red', 'red', 'red '" in dataset.notes[0]


def test_an_outlier_that_squeezes_the_others_is_told(tmp_path: Path) -> None:
    (note,) = load(table(tmp_path, size=with_cells("1", "1e9"))).notes
    assert note.startswith("column size: row 2 has 1e+09, so far out that the middle 98 % of the values")
    assert load(table(tmp_path, size=with_cells("1", "500"))).notes == ()


def test_a_kind_for_no_column_is_told_with_the_nearest(tmp_path: Path) -> None:
    told = refusal(table(tmp_path, size=with_cells()), columns={"sise": "number"})
    assert "columns.sise: no column is called sise (did you mean size?); columns: size, kind" in told
    assert "columns.kind is number, and kind is the target" in refusal(
        table(tmp_path, size=with_cells()), columns={"kind": "number"}
    )


def test_a_table_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    path.write_text("0,5;1,5;cat\n" * 20 + "3,25;2,5;dog\n" * 20, encoding="utf-8")
    dataset = load(path, header=False, target="column_3")
    assert len(dataset.targets) == 40
    assert dataset.inputs[[0, -1]].tolist() == [[0.5, 1.5], [3.25, 2.5]]
    path.write_text("0.5,1.5,cat\n" * 20 + "3.25,2.5,dog\n" * 20, encoding="utf-8")
    assert "--set header=false calls them column_1 to column_3" in refusal(path)


def test_empty_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    rows = [f"{n},{'ab'[n % 2]},,," for n in range(20)]
    path = tmp_path / "pets.csv"
    for header in ("size,kind,,,", "size,kind"):
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        dataset = load(path)
        assert dataset.inputs[:, 0].tolist() == list(range(20))
        assert dataset.notes == ("3 empty columns without a name are left out",)
    path.write_text("\n".join(["size,kind", *rows, "5,a,,x,"]) + "\n", encoding="utf-8")
    assert "row 21 has 5 cells, the header 2" in refusal(path)


def test_cells_of_any_length_and_a_mark_before_a_quoted_name(tmp_path: Path) -> None:
    rows = [f"{n},{'ab'[n % 2]},{'long ' * 30_000 if n == 3 else 'short'}" for n in range(20)]
    path = tmp_path / "pets.csv.gz"
    rows[7] = "7,b,"  # a last cell that is missing has the rows counted
    text = '\ufeff"size, all",kind,note\n' + "\n".join(rows)
    path.write_bytes(gzip.compress(text.encode()))
    dataset = load(path)
    assert [facts.name for facts in dataset.columns] == ["kind", "size, all", "note"]
    assert dataset.inputs[:, 0].tolist() == list(range(20))


def test_an_empty_feature_alone_is_refused(tmp_path: Path) -> None:
    told = refusal(table(tmp_path, size=[""] * NUM_ROWS))
    assert "no column is left to learn from" in told
    assert "column size: empty, left out" in told


def labelled(folder: Path, *labels: str) -> Path:
    rows = [f"{n},{labels[n % len(labels)]}" for n in range(10 * len(labels))]
    path = folder / "pets.csv"
    path.write_text("\n".join(["size,kind", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("spelled", [("yes", "yes "), ("Yes", "yes"), ("1", "1.0"), ("TRUE", "true")])
def test_labels_spelled_alike_are_told_and_joined_as_asked(tmp_path: Path, spelled: tuple[str, str]) -> None:
    path = labelled(tmp_path, *spelled, spelled[0], "0")
    dataset = load(path)
    assert dataset.num_classes == 3
    assert "differ by a space, case or number form" in dataset.notes[0]
    assert "--set join_labels=true" in dataset.notes[0]
    joined = load(path, join_labels=True)
    assert joined.classes == ("0", spelled[0])
    assert joined.class_counts == [10, 30]


def test_labels_that_spell_nothing_are_classes_among_texts(tmp_path: Path) -> None:
    dataset = load(labelled(tmp_path, "None", "Insomnia", "NA"))
    assert dataset.classes == ("Insomnia", "NA", "None")
    assert "'None' (10 rows), 'NA' (10 rows)" in dataset.notes[0]
    assert "row 3, column kind: the target is missing" in refusal(labelled(tmp_path, "0", "1", "NA"))
    assert load(labelled(tmp_path, "0", "1", "NA"), columns={"kind": "category"}).num_classes == 3
    assert "row 2, column kind: the target is missing" in refusal(labelled(tmp_path, "None", "", "Insomnia"))


class TestParquet:
    def frame(self) -> pd.DataFrame:
        days = pd.date_range("2026-01-01", periods=NUM_ROWS, tz="UTC")
        return pd.DataFrame(
            {
                "size": np.arange(NUM_ROWS) / 4,
                "price": [f"{n},5" for n in range(NUM_ROWS)],
                "colour": pd.Categorical(["1", "2"] * 20),
                "tame": [True, None] * 20,
                "born": days,
                "kind": [1.0, 2.0] * 20,
            }
        )

    def load(self, path: Path, **options: object) -> Dataset:
        table = TableOptions(**{"target": "kind", **options})  # type: ignore[arg-type]
        return datasets.load(f"parquet:{path}", table=table)

    def test_types_are_kept_and_texts_read_as_in_a_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "pets.parquet"
        self.frame().to_parquet(path)
        dataset = self.load(path)
        kinds = {facts.name: facts.kind for facts in dataset.columns}
        assert kinds == {
            "kind": "target",
            **dict.fromkeys(["size", "price", "tame", "born"], "number"),
            "colour": "category",
        }
        assert dataset.classes == ("1", "2")
        expected = [5 / 4, 5.5, 0, 1]
        assert dataset.inputs[5, [0, 1, 2, 3]].tolist() == expected
        assert np.isnan(dataset.inputs[5, 4])
        assert np.diff(dataset.inputs[:, 6]).tolist() == pytest.approx([86_400] * 39, abs=128)
        assert dataset.name == f"parquet:{path}"

    def test_what_holds_no_values_is_refused_unless_ignored(self, tmp_path: Path) -> None:
        path = tmp_path / "pets.parquet"
        self.frame().assign(parts=pd.Series([[1, 2]] * NUM_ROWS, dtype=object)).to_parquet(path)
        with pytest.raises(DatasetError, match=r"pets\.parquet: column parts holds values of kind ndarray"):
            self.load(path)
        assert self.load(path, columns={"parts": "ignore"}).num_features == 7

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        path = table(tmp_path, size=with_cells())
        with pytest.raises(DatasetError, match=r"pets\.csv: it is no Parquet file"):
            self.load(path)
        with pytest.raises(DatasetError, match=r"none\.parquet: no such file"):
            self.load(tmp_path / "none.parquet")


def test_a_plain_table_is_read_as_it_was_by_version_0_1(tmp_path: Path) -> None:
    """The fingerprint was made by version 0.1, so that recorded studies of plain tables go on."""
    rows = [
        ",".join(
            [
                repr(n * 0.1 - 7 / 3),
                "" if n % 7 == 0 else str(n * n),
                str(1_700_000_000 + n),
                ("red", "blue", "x y", "")[n % 4],
                ("True", "False")[n % 2],
                ("true", "FALSE", "")[n % 3],
                "NA" if n % 20 == 0 else f"{n / 3:.3e}",
                "",
                "uvw"[n % 3],
            ]
        )
        for n in range(60)
    ]
    path = tmp_path / "plain.csv"
    path.write_text("\n".join(["a,b,time,colour,flag,wish,m,empty,kind", *rows]) + "\n", encoding="utf-8")
    dataset = load(path)
    assert dataset.fingerprint == "f0095ea3e461af67fc3f081ba610006a53da4a5ba4338d84e864e94468f89533"
