"""A study: a question and the plan that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from optuna.distributions import BaseDistribution

from search_spaces import Space, Value, spaces
from search_spaces.user_defined import user_space
from studies.definition.parts import (
    MIN_BLOCKS_OF_LOOKS,
    MOST_BLOCKS,
    Confirm,
    DefaultSmallestEffect,
    ErrorShares,
    Metric,
    Nuisance,
    Search,
    SmallestEffect,
    Thresholds,
)
from trainables.base.metrics import Direction, direction
from trainables.data.tables.table_options import TableOptions


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question and the plan that answers it; validated and brought to canonical form when it is made.

    `factors` are compared, in this order; `nuisances` are tuned so that the comparison is fair; `fixed` holds what
    is stated otherwise than by default. A hyperparameter has one role. `profiles` maps a profile's name to the
    fields that it changes, dotted as `--set` writes them; the study itself is the profile `laptop`.
    `metrics` are those of the file's own training loop, train(); without any, the metrics of a classifier are
    measured. With metrics, `objective` is the primary one on the validation part unless another is named.
    `target` is the column of the classes where `dataset` is the user's own file, `csv:PATH` or `parquet:PATH`.
    `columns` gives the kind of a column whose cells do not show it (`trainables.data.tables.table_options.KINDS`),
    `header` says whether the first row names the columns, `join_labels` whether labels that differ in spelling only
    are one class.
    Classes with fewer rows than `min_class_count` are dropped with their rows or, where `rare_classes` is "merge",
    made one class called other.
    `hyperparameters` are those of the user's own build(), each with its default, which sets the type of its values:
    they may be factors, nuisances or fixed, as others are.
    `looks` are the numbers of blocks at which claims may be made, such as (10, 20, 40); the first is `replicates`.
    After each one only the cells of questions that are still open are trained on. None means as many as the study
    allows (`default_looks`), empty a single look at `replicates`.
    `error_shares` are what each family of claims may spend of the report's error rate; together at most .05.
    Raises UsageError that lists every mistake with its field, rule, value and choices.

    >>> from studies import Study
    >>> study = Study(
    ...     question="Does depth help?",
    ...     factors={"depth": (3, 5)},
    ...     nuisances={"learning_rate": {"low": 3e-4, "high": 3e-2, "log": True}},
    ... )
    >>> study.nuisance_distributions({"depth": 3})
    {'learning_rate': FloatDistribution(high=0.03, log=True, low=0.0003, step=None)}
    """

    question: str
    dataset: str = "digits"
    target: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    header: bool = True
    join_labels: bool = False
    min_class_count: int | None = None
    rare_classes: str = "drop"
    model: str = "mlp"
    objective: str = "val_loss"
    metrics: tuple[Metric, ...] = ()
    factors: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    nuisances: Mapping[str, Nuisance] = field(default_factory=dict)
    fixed: Mapping[str, Value] = field(default_factory=dict)
    hyperparameters: Mapping[str, Value] = field(default_factory=dict)
    replicates: int = 10
    looks: tuple[int, ...] | None = None
    search: Search = field(default_factory=Search)
    confirm: Confirm = field(default_factory=Confirm)
    smallest_effect: SmallestEffect = field(default_factory=DefaultSmallestEffect)
    error_shares: ErrorShares = field(default_factory=ErrorShares)
    thresholds: Thresholds = field(default_factory=Thresholds)
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    as_recorded: bool = field(default=False, compare=False, repr=False)
    """Whether it was read from a storage (`studies.definition.as_recorded`): it then keeps its recorded form and is not
    checked against today's rules."""

    def __post_init__(self) -> None:
        """Check every field and the rules between them, and store each in canonical form."""
        if self.as_recorded:
            return
        from studies.definition.validation import (
            checked_fields,  # here, because the checks are about this module's classes
        )

        for name, value in checked_fields(self).items():
            object.__setattr__(self, name, value)

    @property
    def table(self) -> TableOptions:
        """How the user's own data file is read."""
        return TableOptions(
            target=self.target, columns=self.columns, header=self.header, join_labels=self.join_labels
        )

    @property
    def spaces(self) -> Mapping[str, Space]:
        """The space of every hyperparameter, the user's own last."""
        return {**spaces(), **{name: user_space(name, value) for name, value in self.hyperparameters.items()}}

    @property
    def has_cells(self) -> bool:
        """Whether every combination of levels is trained, rather than searched among."""
        return self.search.trials is None

    @property
    def all_looks(self) -> tuple[int, ...]:
        """The numbers of blocks at which claims may be made, the first of them `replicates`."""
        looks = default_looks(self) if self.looks is None else self.looks
        return looks or (self.replicates,)

    @property
    def declares_smallest_effect(self) -> bool:
        """Whether the study says itself which difference of its primary outcome is worth acting on."""
        if self.metrics:
            return self.metrics[0].smallest_effect is not None
        return not isinstance(self.smallest_effect, DefaultSmallestEffect)

    @property
    def direction(self) -> Direction:
        """Whether the objective is minimized or maximized."""
        return direction(self.objective, self.metrics)

    def nuisance_distributions(self, levels: Mapping[str, Value]) -> dict[str, BaseDistribution]:
        """Return each nuisance's distribution in the cell with these levels; ranges by optimizer are resolved."""
        optimizer = {"optimizer": spaces()["optimizer"].default, **self.fixed, **levels}["optimizer"]
        return {
            name: cast(
                BaseDistribution, range_[cast(str, optimizer)] if isinstance(range_, Mapping) else range_
            )
            for name, range_ in self.nuisances.items()
        }


def default_looks(study: Study) -> tuple[int, ...]:
    """Return the looks of a study that states none: r, 2r, 4r and 8r blocks, up to 80; empty for a single one.

    Several looks need cells, at least ten replicates, and a smallest effect that the study itself declares: without one
    there is no answer to wait for.

    >>> study = Study(question="?", factors={"depth": (3, 5)}, smallest_effect=SmallestEffect(log_loss=0.02))
    >>> default_looks(study)
    (10, 20, 40, 80)
    """
    first = study.replicates
    if not study.has_cells or first < MIN_BLOCKS_OF_LOOKS or not study.declares_smallest_effect:
        return ()
    looks = tuple(first * times for times in (1, 2, 4, 8) if first * times <= MOST_BLOCKS)
    return looks if len(looks) > 1 else ()
