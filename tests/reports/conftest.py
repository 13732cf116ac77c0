"""The small study that most tests of reports look at."""

import pytest

from reports.inputs.inputs import ReportInputs
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    """A study of four cells with three blocks."""
    return sample_inputs(SMALL, num_blocks=3, rates=3)


@pytest.fixture(scope="module")
def study(inputs: ReportInputs) -> ReportInputs:
    """The same, where a test has other inputs beside it."""
    return inputs
