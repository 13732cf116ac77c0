"""Recipes of plain scripts, and the scripts as modules whose functions can be called."""

from dataclasses import replace
from typing import Any

from studies.exchange.plain_script.recipe import Interval, Recipe, RecordedSplit
from studies.exchange.script import script_text
from trainables import datasets
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed, seed_for_libraries
from trainables.data.dataset import Dataset
from trainables.data.tables.table_options import TableOptions


def random_state(block: int, seed: int = 0) -> int:
    """Return the random state that splits a block."""
    return seed_for_libraries(derive_seed(seed, "split", block))


def recipe(
    *,
    data: Dataset | None = None,
    model: str = "mlp",
    epochs: int = 2,
    blocks: int = 3,
    target: str | None = None,
    **hyperparameters: Any,
) -> Recipe:
    """Return a recipe for the digits or for `data`, with invented records."""
    return Recipe(
        study="depth_study",
        question='Does "depth" help? \\o/ """',
        model=model,
        hyperparameters=replace(Hyperparameters(depth=2, width=16), **hyperparameters),
        epochs=epochs,
        data=datasets.load("digits") if data is None else data,
        table=TableOptions(target=target),
        min_class_count=None,
        splits=tuple(
            RecordedSplit(random_state=random_state(block), test_loss=0.2, test_accuracy=0.95)
            for block in range(blocks)
        ),
        num_splits=blocks,
        test_loss=Interval(mean=0.2, low=0.1, high=0.3),
        test_accuracy=Interval(mean=0.95, low=0.9, high=0.97),
    )


def run_as_module(given: Recipe) -> dict[str, Any]:
    """Return the names that the script of a recipe defines; nothing is trained."""
    space: dict[str, Any] = {"__name__": "script"}
    exec(compile(script_text(given), "script.py", "exec"), space)
    return space
