"""Which trials have a page of their own beside the report, in which order, and what place of the report leads there."""

from typing import Final

import pandas as pd

_NOT_ENDED: Final = ("waiting", "running")


def paged_trials(trials: pd.DataFrame) -> list[int]:
    """The confirm trials that have ended, by cell and number."""
    ended = trials[(trials["phase"] == "confirm") & ~trials["state"].isin(_NOT_ENDED)]
    return [int(number) for number in ended.sort_values(["cell", "number"])["number"]]


def anchor_of(*, cell: int | None, number: int) -> str:
    """The id of the row of the report that leads to a confirm trial: its cell's, in a study without cells its own.

    >>> anchor_of(cell=3, number=12), anchor_of(cell=None, number=12)
    ('cell-3', 'trial-12')
    """
    return f"trial-{number}" if cell is None else f"cell-{cell}"
