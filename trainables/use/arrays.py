"""Numbers in whatever Python has them (arrays, lists, tensors, pictures), as an array of examples."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainables.base.errors import InputError

Numbers = NDArray[np.float64]

MAX_TOLD: Final = 10
"""Most mistakes told at a time."""

MAX_BYTE: Final = 255


def as_examples(examples: Any, shape: tuple[int, ...], *, first_row: int = 1) -> Numbers:
    """Return numbers as an array (examples, *shape), NaN where an element is masked or None.

    Examples that are flat, or have axes of length 1 more or less, are brought into shape. Raises InputError for other
    shapes and for what is no number, with row and column where there are.
    """
    values = _as_array(examples, first_row)
    size = int(np.prod(shape))
    if values.shape == (0,):
        return np.zeros((0, *shape))
    one = values.shape[1:]
    if values.ndim and (one == (size,) or _without_ones(one) == _without_ones(shape)):
        return values.reshape(len(values), *shape)
    if values.shape in (shape, (size,)):
        raise InputError(
            [f"one example of {shown(shape)} was given, and the model takes several"],
            "Put it into an array with a first axis: inputs[None].",
        )
    if len(shape) == 3 and one == (*shape[1:], shape[0]):
        raise InputError(
            [
                f"an example has {shown(shape)} in the training data, and {shown(one)} here: its channels are last"
            ],
            "Bring them to the front: inputs.transpose(0, 3, 1, 2).",
        )
    raise InputError(
        [
            f"an example has {shown(shape)} in the training data, and {shown(one)} here"
            if values.ndim
            else "one number is no array of examples"
        ],
        f"Give an array of shape (examples, {', '.join(map(str, shape))})"
        f"{f' or (examples, {size})' if len(shape) > 1 else ''}.",
    )


def checked(values: Numbers, *, may_miss: bool, first_row: int = 1) -> NDArray[np.float32]:
    """Return finite values in float32, same shape; raise InputError with row and column of others.

    With `may_miss` NaN is allowed. Columns count an example's values from 1.
    """
    with np.errstate(over="ignore"):
        made = values.astype(np.float32)
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    wrong = ~(np.isfinite(made.reshape(flat.shape)) | (np.isnan(flat) & may_miss))
    if wrong.any():
        told = [
            f"row {row + first_row}, column {column + 1}: {flat[row, column]}"
            for row, column in np.argwhere(wrong)[:MAX_TOLD]
        ]
        raise InputError(told, "A finite number is needed: correct or leave out these rows.")
    return made


def refuse_bytes(examples: Any, high: float) -> None:
    """Raise InputError for bytes of pictures where the training data were numbers up to `high`, 1 or so."""
    is_bytes = str(getattr(examples, "dtype", "")).endswith("uint8")
    if is_bytes and high <= 1 < (most := int(np.asarray(examples).max(initial=0))):
        raise InputError(
            [
                f"the pictures have bytes up to {most}, and those of the training data numbers up to {high:.3g}"
            ],
            f"Divide them by {MAX_BYTE}; picture files and PIL images are taken as they are.",
        )


def shown(shape: Sequence[int]) -> str:
    """Return a shape for a reader.

    >>> shown((3, 8, 8)), shown((64,)), shown(())
    ('3 x 8 x 8 values', '64 values', 'one value')
    """
    return f"{' x '.join(map(str, shape))} values" if int(np.prod(shape)) != 1 else "one value"


def described(value: object) -> str:
    """Return a value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _as_array(examples: Any, first_row: int) -> Numbers:
    given = _from_torch(examples)
    if isinstance(given, list | tuple):
        given = [_from_torch(each) for each in given]
    elif hasattr(given, "toarray"):  # scipy's sparse matrices
        given = given.toarray()
    if isinstance(given, np.ma.MaskedArray):
        given = np.ma.filled(given.astype(np.float64), np.nan)
    try:
        raw = np.asarray(given)
    except ValueError:
        raise InputError(_uneven(given, first_row), "Give every example as many numbers.") from None
    if raw.dtype.kind not in "biufOUS":
        raise InputError([f"the inputs are of type {raw.dtype}, which is no number"], "Give numbers.")
    if raw.ndim == 0 and raw.dtype.kind not in "biuf":
        raise InputError(
            [f"{type(examples).__name__} is no array of numbers"], "Give an array, a list or a DataFrame."
        )
    try:
        return raw.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        told = list(_no_numbers(raw, first_row)) or ["the inputs are no array of numbers"]
        raise InputError(told, "Give numbers: correct or leave out these rows.") from None


def _from_torch(examples: Any) -> Any:
    """Return a tensor as an array, wherever and however it is stored; anything else as it is."""
    if not hasattr(examples, "detach"):
        return examples
    tensor = examples.detach().cpu()
    # numpy has no bfloat16.
    return (tensor.to_dense().double() if tensor.is_floating_point() else tensor.to_dense()).numpy()


def _uneven(given: Any, first_row: int) -> list[str]:
    """Return which examples of a list have another shape than the first."""
    shapes = [np.shape(np.asarray(each, dtype=object)) for each in given]
    told = [
        f"row {row + first_row} has {shown(shape)}, and row {first_row} has {shown(shapes[0])}"
        for row, shape in enumerate(shapes)
        if shape != shapes[0]
    ]
    return told[:MAX_TOLD] or ["the inputs are no array of numbers"]


def _no_numbers(raw: NDArray[Any], first_row: int) -> Iterator[str]:
    """Yield the first MAX_TOLD elements that are no numbers, with their places."""
    flat = raw.reshape(len(raw), -1)
    num = 0
    for row, cells in enumerate(flat):
        for column, cell in enumerate(cells.tolist()):
            try:
                float(cell)
            except (TypeError, ValueError, OverflowError):
                yield f"row {row + first_row}, column {column + 1}: {described(cell)} is no number"
                num += 1
                if num == MAX_TOLD:
                    return
