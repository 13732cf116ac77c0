"""What a trial reports: records for each epoch, hidden layer and replicate."""

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a replicate ended."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerRecord:
    """Gradient measures of one hidden layer over one epoch, unscaled and before clipping.

    `layer` counts from 1 at the input. `grad_l2` and `grad_rms` are means over the epoch's steps, `grad_l2_max` is
    the largest step; `delta_rms`, `weight_rms` and `update_ratio` are medians over the measured steps, the ratio
    None at the initialisation. `activation_mean` and `activation_std` are over units and examples of the layer's
    output; `dead_fraction` is the share of units that never responded.
    """

    layer: int
    grad_l2: float
    grad_l2_max: float
    grad_rms: float
    delta_rms: float
    weight_rms: float
    update_ratio: float | None
    activation_mean: float
    activation_std: float
    dead_fraction: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRecord:
    """One replicate after one epoch; losses are mean cross-entropies in nats, accuracies fractions.

    `metrics` holds the further scores on the validation part under names such as `val_macro_f1`, after the epochs in
    which they were taken. Where layers are measured, so is the whole gradient, and it holds over the epoch's steps:
    `num_nonfinite`, steps whose gradient is not finite; `clip_fraction`, the share clipped; `spike_rate`, the share
    whose norm exceeds 10 times the median of the 50 before. Epoch 0 is the initialisation: it carries layers and, over
    the batches on which they were measured, the training loss.
    """

    replicate: int
    epoch: int
    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    learning_rate: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    layers: tuple[LayerRecord, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplicateRecord:
    """How one replicate of a trial ended; the test scores exist in the confirm phase only.

    `metrics` holds the further scores under names such as `val_macro_f1` and `test_macro_f1`; where a trial asks for
    them, `holdout_loss` and `holdout_accuracy` are over the validation and the test part together.
    """

    replicate: int
    block: int
    outcome: Outcome
    val_loss: float | None = None
    val_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationBin:
    """Test examples whose confidence lies in `low`..`high`: how many, how sure, how often right."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRecord:
    """How one replicate does on the test part: counts[true][predicted] and ten calibration bins."""

    replicate: int
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]


class NoteKind(StrEnum):
    """What a note is about: the kind of the event that it becomes."""

    CHECKPOINT_REFUSED = "checkpoint_refused"
    STACK_HALVED = "stack_halved"
    GRAPH_REFUSED = "graph_refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What somebody should know of a trial's attempt."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PeakMemory:
    """The most bytes that a worker's tensors took on its GPU at once while a trial was trained, of how many."""

    allocated_bytes: int
    total_bytes: int
    gpu: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialReport:
    """Everything a trial has to say since its last report.

    `epoch` counts the epochs trained so far, `objective` is the mean over replicates of the objective, capped at
    chance. `measuring_seconds`, part of the `busy_seconds`, went into measuring gradients; the first report of an
    attempt tells after how many of them its first epoch was trained. `replicates` holds every replicate as it stands,
    `models` the weights of each replicate as safetensors bytes where they were asked for, `checkpoint` the whole state
    where there is one to go on from. `notes` are what somebody should know of the attempt. `memory` is None on a CPU.
    `error` is a traceback: the trial has failed and will report no more.
    """

    epoch: int
    objective: float
    # Ray Tune makes a text of each report for a log that is not kept: the large fields are left out of it.
    epochs: tuple[EpochRecord, ...] = field(repr=False)
    replicates: tuple[ReplicateRecord, ...] = field(repr=False)
    busy_seconds: float
    worker: str
    models: tuple[bytes, ...] = field(default=(), repr=False)
    evaluations: tuple[EvaluationRecord, ...] = field(default=(), repr=False)
    checkpoint: bytes | None = field(default=None, repr=False)
    measuring_seconds: float = 0.0
    first_epoch_seconds: float | None = None
    notes: tuple[Note, ...] = ()
    memory: PeakMemory | None = None
    error: str | None = None
