"""The rule of early stopping, applied to the values of a monitor."""

from collections.abc import Iterable


def is_better(value: float, best: float, monitor: str) -> bool:
    """Return whether `value` is better than the best so far, by any amount."""
    return value > best if monitor == "val_accuracy" else value < best


def stopping_epoch(values: Iterable[float | None], *, monitor: str, patience: int) -> int | None:
    """Return the epoch after which a network with these monitored values stops; None if it trains on.

    That is after `patience` epochs in a row without a better value, or at once when it diverges (None).

    >>> stopping_epoch([0.5, 0.4, 0.4, 0.6, 0.1], monitor="val_loss", patience=2)
    4
    """
    best: tuple[float, int] | None = None
    for epoch, value in enumerate(values, start=1):
        if value is None:
            return epoch
        if best is None or is_better(value, best[0], monitor):
            best = value, epoch
        elif epoch - best[1] >= patience:
            return epoch
    return None
