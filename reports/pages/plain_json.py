"""Plain JSON from whatever the statistics give: numpy unwrapped, NaN as null, times as text."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from reports.inputs.cube import plain

DIGITS = 6  # significant digits kept: more than any interval supports


def as_json(report: Mapping[str, Any]) -> str:
    """The file's text: keys in the report's order, one space of indent, UTF-8."""
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def json_value(value: Any) -> Any:
    """Plain JSON: NaN and infinities null, floats at six significant digits."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [json_value(item) for item in value]
    value = plain(value)
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
