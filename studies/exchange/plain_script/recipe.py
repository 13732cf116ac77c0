"""What a plain script is written from: one configuration, its data, and what was recorded of it."""

from dataclasses import dataclass

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.dataset import Dataset
from trainables.data.tables.table_options import TableOptions


@dataclass(frozen=True, kw_only=True)
class RecordedSplit:
    """One block: the random state that splits its rows, and the recorded scores of its network on the test part."""

    random_state: int
    test_loss: float
    test_accuracy: float


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over blocks with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """Everything that a plain script says: `data` is the dataset as the study trains on it.

    `splits` are some of the study's `num_splits` blocks, and the intervals are over all of these.
    """

    study: str
    question: str
    model: str
    hyperparameters: Hyperparameters
    epochs: int
    data: Dataset
    table: TableOptions
    min_class_count: int | None
    splits: tuple[RecordedSplit, ...]
    num_splits: int
    test_loss: Interval
    test_accuracy: Interval

    @property
    def is_image_network(self) -> bool:
        """Whether the network takes images rather than rows of numbers."""
        return self.model == "cnn"

    @property
    def has_texts(self) -> bool:
        """Whether the examples are texts, kept sparse until a batch is made of them."""
        return self.data.texts is not None
