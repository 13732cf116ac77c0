"""Converts what a user's load() returns (lists, tensors, tables, sparse matrices) to arrays; errors name the value."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_VALUE = ("NAType", "NaTType")
"""Names of the types of pandas' markers for missing values."""


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Return `values` as a NumPy array; raise ValueError that says why that is not possible.

    Tensors are detached and copied to the host, sparse matrices become dense, and a list of tensors becomes one array.
    Masked values are refused.
    """
    given = type(values).__name__
    try:
        values = _dense(values)
        if isinstance(values, list | tuple):
            values = [_dense(each) for each in values]
            array = _from_list(values, name)
        else:
            array = np.asarray(values)
    except ValueError:
        raise
    except Exception as error:  # an array-like object may raise anything
        raise ValueError(f"{name} must be an array; got a {given}: {error}") from error
    if np.ma.isMaskedArray(values) and np.ma.getmaskarray(values).any():
        row = np.argwhere(np.ma.getmaskarray(values))[0][0]
        raise ValueError(f"{name} must have no masked values; row {row} has one")
    if array.ndim == 0:
        raise ValueError(f"{name} must be an array, a tensor or a list; got a {given}")
    return array


def _dense(values: Any) -> Any:
    """Return a tensor as an array, and a sparse matrix as a dense one."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.to_dense() if values.layout is not None and "sparse" in str(values.layout) else values
        return values.float().numpy() if str(values.dtype) == "torch.bfloat16" else values.numpy()
    if hasattr(values, "toarray"):
        return values.toarray()
    return values


def _from_list(values: list[Any], name: str) -> NDArray[Any]:
    if any(isinstance(each, str | bytes) for each in values):  # NumPy would convert all others to text
        array = np.empty(len(values), object)
        array[:] = values
        return array
    try:
        array = np.asarray(values)
    except ValueError:
        pass
    else:
        return np.array(values, object) if array.dtype.kind in "US" else array
    shapes = list(_shapes(values))
    other = next((row for row, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is None:
        raise ValueError(
            f"{name} must all have one shape; those of row 0 are nested unevenly: pad or cut them"
        )
    raise ValueError(
        f"{name} must all have one shape; row 0 has {_shown(shapes[0])}, row {other} {_shown(shapes[other])}: pad or "
        "cut them"
    )


def _shapes(values: list[Any]) -> Iterator[tuple[int, ...] | None]:
    """Yield the shape of each row, None if the row itself is nested unevenly."""
    for each in values:
        try:
            yield np.shape(each)
        except ValueError:
            yield None


def _shown(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "uneven ones"
    return (
        {0: "a single value", 1: f"{shape[0]} values"}.get(len(shape), f"shape {shape}")
        if shape
        else ("a single value")
    )


def as_inputs(inputs: Any) -> NDArray[np.float32]:
    """Return inputs of shape (examples, ...) as float32; raise ValueError that names a value that is not finite."""
    array = as_array(inputs, "inputs")
    if array.dtype.kind in "OUS":
        array = _numbers(array)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"inputs must be numbers; got {array.dtype}{_instead(array.dtype.kind)}")
    if array.ndim == 1 and array.size:
        raise ValueError(
            f"inputs must have shape (examples, ...); got {array.shape}: a single feature is inputs.reshape(-1, 1)"
        )
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(
            f"inputs must have shape (examples, ...) with at least one value each; got {array.shape}"
        )
    refuse_infinite(array, "inputs")
    with np.errstate(over="ignore"):
        made = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(made).all():
        place = tuple(np.argwhere(~np.isfinite(made))[0])
        raise ValueError(f"inputs must fit into float32; row {place[0]} has {array[place]}: scale them")
    return made


def _instead(kind: str) -> str:
    return {
        "c": ": give the real and the imaginary part as two features",
        "M": ": give a number such as the days since a date",
        "m": ": give a number such as seconds",
        "V": ": give one column for each field",
    }.get(kind, "")


def _numbers(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return an array of Python numbers as floats; raise ValueError that names the first value that is none."""
    for place, value in np.ndenumerate(array):
        if isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
            continue
        at = f" at {', '.join(map(str, place[1:]))}" if place[1:] else ""
        if is_missing(value):
            raise ValueError(
                f"inputs must be finite; row {place[0]} has {value}{at}: fill it, or leave the row out"
            )
        if isinstance(value, list | tuple | np.ndarray):
            raise ValueError(
                f"inputs must all have one shape; row {place[0]} has a {type(value).__name__}{at}: pad or cut them"
            )
        raise ValueError(
            f"inputs must be numbers; row {place[0]} has {show(value)}{at}: make numbers of it (a table of texts and "
            "numbers can be read by --set dataset=csv:PATH)"
        )
    return array.astype(np.float64)


def refuse_infinite(array: NDArray[Any], name: str) -> None:
    """Raise ValueError that names the first value that is not finite, and the number of such values."""
    is_wrong = ~np.isfinite(array)
    if is_wrong.any():
        wrong = np.argwhere(is_wrong)
        row, *place = wrong[0].tolist()
        at = f" at {', '.join(map(str, place))}" if place else ""
        raise ValueError(
            f"{name} must be finite; row {row} has {array[tuple(wrong[0])]}{at} ({len(wrong)} such values in all)"
        )


def is_missing(value: object) -> bool:
    """Return whether a value stands for a missing one: None, NaN, or pandas' NA and NaT."""
    if value is None or type(value).__name__ in NO_VALUE:
        return True
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating) and math.isnan(value)


def show(value: object) -> str:
    """Return a value for a message, cut to 40 characters."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 40 else text[:37] + "..."
