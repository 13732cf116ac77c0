"""The real command, whose workers note what was acknowledged: a report is once its worker is asked to go on."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from studies.raytune import experiment
from studies.run import main
from tests.studies.faults.light import TRACES
from tests.studies.faults.traces import Acknowledged, Report
from trainables.trial import StackTrial
from trainables.trials import reporting
from trainables.trials.reporting import train_trial_spec


class Acknowledging(StackTrial):
    """Trains as any worker, reports after each epoch with a checkpoint, and notes each report that came home."""

    _reported: Report | None = None

    def setup(self, config: dict[str, Any], **data: Any) -> None:
        """Prepare the worker."""
        self._acknowledged = Acknowledged.of(Path(os.environ[TRACES]))
        vars(reporting)["train_trial_spec"] = partial(
            train_trial_spec, seconds_between_reports=0.0, seconds_between_checkpoints=0.0
        )
        super().setup(config, **data)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next assignment: the last report of the one before came home."""
        self._note()
        return super().reset_config(new_config)

    def step(self) -> dict[str, Any]:
        """Train to the next report: the one before came home."""
        self._note()
        result = super().step()
        if result["report"].error is None:
            self._reported = (self._trial_spec.number, result["epoch"])
        return result

    def _note(self) -> None:
        if self._reported is not None:
            self._acknowledged.add(*self._reported)
            self._reported = None


if __name__ == "__main__":
    # Workers import the class from this module by its name, which is not __main__.
    from tests.studies.faults import acknowledging

    with patch.object(experiment, "StackTrial", acknowledging.Acknowledging):
        sys.exit(main(sys.argv[1:]))
