"""Whatever the statistics give becomes strict JSON, and comes back as the same numbers."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from reports.pages.json_report import as_json, json_value


def test_what_json_has_no_word_for_becomes_null_or_text() -> None:
    value = {
        "nan": math.nan,
        "infinite": [np.inf, -math.inf],
        "numpy": np.float64(0.5),
        "count": np.int64(3),
        "switch": np.bool_(True),
        "levels": (1, None),
        "array": np.array([1.0, np.nan]),
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        3: "key",
    }
    assert json.loads(as_json(json_value(value))) == {
        "nan": None,
        "infinite": [None, None],
        "numpy": 0.5,
        "count": 3,
        "switch": True,
        "levels": [1, None],
        "array": [1.0, None],
        "time": "2026-01-02T00:00:00+00:00",
        "3": "key",
    }


def test_numbers_keep_six_significant_digits() -> None:
    assert json_value(0.123456789) == 0.123457
    assert json_value(1.23456789e-9) == pytest.approx(1.23457e-9)
    assert json_value(123456789) == 123456789


def test_nothing_but_strict_json_is_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        as_json({"x": math.nan})
