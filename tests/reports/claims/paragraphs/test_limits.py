"""What an answer leaves open."""

from dataclasses import replace

import pandas as pd
import pytest

from reports.claims.paragraphs.limits import rare_failures
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results, compute
from reports.statistics.gates import Gate


def with_gate(results: Results, gate: Gate, *, equivalent: bool) -> Results:
    frame: pd.DataFrame = results.at_best.assign(gate=gate, equivalent=equivalent)
    return replace(results, at_best=frame, contrasts=results.contrasts.assign(gate=Gate.UNRESOLVED))


@pytest.mark.parametrize("gate", [Gate.EQUIVALENT, Gate.DIRECTION])
def test_practical_equality_speaks_of_networks_that_train(study: ReportInputs, gate: Gate) -> None:
    line = rare_failures(with_gate(compute(study), gate, equivalent=True))
    assert line is not None
    assert "none of three networks failed, up to 63.2\u202f% of such networks may" in line.text
    assert line.numbers == [3, pytest.approx(1 - 0.05 ** (1 / 3))]


@pytest.mark.parametrize("gate", [Gate.UNRESOLVED, Gate.INDICATED])
def test_where_nothing_is_called_equal_nothing_is_added(study: ReportInputs, gate: Gate) -> None:
    assert rare_failures(with_gate(compute(study), gate, equivalent=True)) is None
