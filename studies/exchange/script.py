"""Writes the best configuration of a study as one plain PyTorch script, which needs nothing of Studies."""

from __future__ import annotations

import math
import textwrap
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from studies.base.errors import UsageError
from studies.exchange.plain_script.recipe import Interval, Recipe, RecordedSplit
from trainables.base.seeds import derive_seed, seed_for_libraries
from trainables.user_code.code import OWN

if TYPE_CHECKING:  # a mistake in a command is told before these are loaded
    from studies.database.rows import StudyRow
    from studies.database.store import Store
    from studies.planning.plan import Plan
    from trainables.data.dataset import Dataset

MAX_SPLITS = 10
"""Most splits of a study that a script trains on: its recorded scores stand beside each."""

HEADER_WIDTH = 110


def write_script(store: Store, study: StudyRow, path: Path) -> None:
    """Write the best configuration of a study to `path`; nothing is written if that cannot be done.

    The script splits its rows as the study's blocks, so that its scores can be compared one by one. Raises UsageError
    if there is no confirmed best configuration, if it uses code of the user's own, or if its data cannot be loaded.
    """
    from reports.pages.atomic_files import write_whole

    write_whole(path, script_text(recipe_of(store, study), path.name).encode())


def recipe_of(store: Store, study: StudyRow) -> Recipe:
    """Return what a study's script is written from; raises UsageError as `write_script` does."""
    from reports.results.best import best_configuration, nothing_to_take
    from reports.results.results import compute
    from studies.planning.plan import Plan
    from studies.results.report_inputs import explaining_contradictions, report_inputs
    from trainables.base.hyperparameters import Hyperparameters

    inputs = report_inputs(store, study)
    plan = Plan.from_dict(inputs.study, inputs.plan)
    _refuse_own_code(plan)
    with explaining_contradictions(study.name):
        best = best_configuration(inputs, compute(inputs))
    if best is None or not best["num_blocks"] or best["test_loss"] is None or nothing_to_take(best):
        raise UsageError(
            [f"--script: study {study.name} has no confirmed best configuration"],
            f"See how far it is: studies status {study.name}",
        )
    hyperparameters = Hyperparameters.from_dict(plan.hyperparameters(best["params"]))
    if hyperparameters.precision != "float32":
        raise UsageError(
            [f"--script: the best configuration is trained in {hyperparameters.precision}"],
            "A plain script trains in float32; --model writes the network as it was trained.",
        )
    rows = inputs.replicates[inputs.replicates["trial_number"].isin(best["trial_numbers"])].sort_values(
        "block"
    )
    splits = [
        RecordedSplit(
            random_state=seed_for_libraries(derive_seed(plan.seed, "split", int(row["block"]))),
            test_loss=float(row["test_loss"]),
            test_accuracy=float(row["test_accuracy"]),
        )
        for _, row in rows.iterrows()
        if math.isfinite(row["test_loss"])
    ]
    low, high = best["test_error_interval"]
    return Recipe(
        study=study.name,
        question=inputs.question,
        model=plan.study.model,
        hyperparameters=hyperparameters,
        epochs=plan.study.confirm.epochs,
        data=_dataset(plan),
        table=plan.study.table,
        min_class_count=plan.study.min_class_count,
        splits=tuple(splits[:MAX_SPLITS]),
        num_splits=int(best["num_blocks"]),
        test_loss=Interval(
            mean=best["test_loss"], low=best["test_loss_interval"][0], high=best["test_loss_interval"][1]
        ),
        test_accuracy=Interval(mean=best["test_accuracy"], low=1 - high, high=1 - low),
    )


def _refuse_own_code(plan: Plan) -> None:
    study = plan.study
    own = [
        name
        for name, is_used in (
            ("load()", study.dataset == OWN),
            ("build() or train()", study.model == OWN),
            ("metrics", bool(study.metrics)),
        )
        if is_used
    ]
    if own:
        raise UsageError(
            [f"--script: study {plan.name} uses {' and '.join(own)} of your own file"],
            "That file is already the script, with the plan's numbers in its STUDY; studies show NAME has the best "
            "configuration's, and --model writes the network.",
        )


def _dataset(plan: Plan) -> Dataset:
    """Load the data of a study as it trains on them; UsageError if they are missing or no longer the same."""
    from studies.planning.rare_classes import prepared
    from trainables import datasets
    from trainables.data.dataset_files import DatasetError

    name = plan.study.dataset
    try:
        data = prepared(plan.study, datasets.load(name, table=plan.study.table))
    except DatasetError as error:
        raise UsageError([f"dataset {name}: {error.message}"], error.advice) from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UsageError([f"dataset {name}: {error}"], "The script is written from the data.") from error
    if data.fingerprint != plan.dataset_fingerprint:
        raise UsageError(
            [f"dataset {name} is no longer what the study {plan.name} was trained on"],
            "Its recorded scores would say nothing about a script that reads other data: bring the old file back.",
        )
    return data


def script_text(recipe: Recipe, name: str = "script.py") -> str:
    """Return the source of the script called `name`; UsageError if its data cannot be loaded in a few lines."""
    from studies.exchange.plain_script import data_text, network_text, training_text

    data = data_text.data_text(recipe)
    data_text.refuse_other_numbers(recipe, data)
    pieces = [
        data.source.strip("\n") + "\n",
        training_text.parts_text(recipe),
        network_text.network_text(recipe),
        training_text.augmentation_text(recipe),
        training_text.training_text(recipe),
        training_text.PLOT,
        _main(recipe),
    ]
    body = "\n\n".join(piece for piece in pieces if piece)
    head = "\n\n".join(part for part in (_constants(recipe, data.constants), _recorded(recipe)) if part)
    source = f"{head}\n\n\n{body}\n"
    blocks = [
        f"{_docstring(recipe, data.packages, name)}\n",
        f"{_imports(recipe, data.imports, source)}\n",
        source,
        'if __name__ == "__main__":\n    main()\n',
    ]
    return "\n".join(blocks)


def _docstring(recipe: Recipe, packages: tuple[str, ...], name: str) -> str:
    question = " ".join(recipe.question.split())
    needed = " ".join(dict.fromkeys(("torch", "numpy", "scikit-learn", "matplotlib", *packages)))
    splits = f"{len(recipe.splits)} of the study's {recipe.num_splits} splits"
    about = (
        f"The question was: {question} This is the best configuration that was found. It is trained on {splits} of the "
        "data, and the scores are printed beside those that were recorded. First weights, order of examples and "
        "dropout are drawn anew, so single scores differ a little; the means should not."
    )
    lines = [
        f"The best network of the study {recipe.study}, in plain PyTorch.",
        "",
        *textwrap.wrap(about, HEADER_WIDTH),
        "",
        f"Needs: pip install {needed}",
        f"Run:   python {name}      (python {name} 1 trains on the first split only)",
    ]
    # Names and questions are a person's words, and must not end the docstring.
    told = "\n".join(lines).replace("\\", "/").replace('"""', "'''")
    return f'"""{told}\n"""'


def _imports(recipe: Recipe, of_data: tuple[str, ...], source: str) -> str:
    """Return the imports that the source uses: the standard library's, a blank line, the others."""
    standard = [f"import {name}" for name in ("copy", "math", "sys") if f"{name}." in source]
    standard += ["from pathlib import Path"]
    others = [
        "import matplotlib.pyplot as plt",
        "import numpy as np",
        "import torch",
        "from sklearn.model_selection import train_test_split",
        "from torch import nn",
    ]
    if recipe.has_texts:
        others += [
            "from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer",
            "from sklearn.feature_selection import SelectKBest, chi2",
        ]
    for line in of_data:
        is_other = line.split()[1].partition(".")[0] in ("sklearn", "pandas")
        (others if is_other else standard).append(line)

    def order(line: str) -> tuple[bool, str]:
        return line.startswith("from "), line.split()[1]

    return "\n".join(sorted(set(standard), key=order)) + "\n\n" + "\n".join(sorted(set(others), key=order))


def _constants(recipe: Recipe, of_data: str) -> str:
    from studies.exchange.plain_script.network_text import widths_text

    hp = recipe.hyperparameters
    lines = [
        *([of_data] if of_data else []),
        *([] if recipe.is_image_network else [f"NUM_FEATURES = {recipe.data.num_features}"]),
        f"NUM_CLASSES = {recipe.data.num_classes}",
        *([] if recipe.is_image_network else [f"WIDTHS = {widths_text(hp)}"]),
        *([f"DROPOUT = {hp.dropout!r}"] if hp.dropout else []),
        f"EPOCHS = {recipe.epochs}",
        f"BATCH_SIZE = {hp.batch_size}",
        f"LEARNING_RATE = {hp.learning_rate!r}",
        *([f"CLIP_NORM = {hp.clip_norm!r}"] if hp.clip_norm is not None else []),
        *(
            [f"PATIENCE = {hp.patience}  # epochs without a better {hp.monitor}"]
            if hp.patience is not None
            else []
        ),
    ]
    return "\n".join(lines)


def _recorded(recipe: Recipe) -> str:
    rows = "".join(
        f"    ({split.random_state}, {split.test_loss:.4f}, {split.test_accuracy:.4f}),\n"
        for split in recipe.splits
    )
    return (
        "# What the study recorded for each split of the rows: its random state, and its network's test loss and test "
        f"accuracy.\nRECORDED = [\n{rows}]"
    )


def _main(recipe: Recipe) -> str:
    from studies.exchange.plain_script.training_text import uses_validation

    loss, accuracy = recipe.test_loss, recipe.test_accuracy
    given = "network, train, validation" if uses_validation(recipe) else "network, train"
    device = ""
    if recipe.is_image_network:
        device = '    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")\n'
    unpacked = "train, validation, test" if uses_validation(recipe) else "train, _, test"
    return f"""def main():
{device}    inputs, targets = load()
    num_splits = int(sys.argv[1]) if len(sys.argv) > 1 else len(RECORDED)
    scores = []
    for number, (random_state, *recorded) in enumerate(RECORDED[:num_splits], start=1):
        {unpacked} = parts(inputs, targets, random_state)
        torch.manual_seed(random_state)
        network = Network()
        initialise(network)
        gradients = fit({given})
        scores.append(evaluate(network, *test))
        print("split {{}}: test loss {{:.4f}}, accuracy {{:.4f}}".format(number, *scores[-1]), end=" ")
        print("(recorded {{:.4f}} and {{:.4f}})".format(*recorded), flush=True)
    same = [recorded for _, *recorded in RECORDED[:num_splits]]
    print("mean: test loss {{:.4f}}, accuracy {{:.4f}}".format(*np.mean(scores, axis=0)), end=" ")
    print("(recorded {{:.4f}} and {{:.4f}})".format(*np.mean(same, axis=0)))
    print("recorded over all {recipe.num_splits} splits, with 95 % intervals:")
    print("  test loss {loss.mean:.4f} ({loss.low:.4f} to {loss.high:.4f})")
    print("  accuracy {accuracy.mean:.4f} ({accuracy.low:.4f} to {accuracy.high:.4f})")
    plot_gradients(gradients)
"""
