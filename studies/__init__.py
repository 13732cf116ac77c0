"""Studies: hyperparameter studies that answer a question, with the statistics that license the answer."""

import os
import sys


def _leave_out_current_folder() -> None:
    """Remove the current folder from the import path: a torch.py or a folder reports there would be imported.

    `python -m` puts it first. Nothing there is needed, unless it is our own checkout; the installed command does not
    search it either.
    """
    ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()] and os.path.realpath(sys.path[0]) != ours:
        del sys.path[0]


if sys.argv[:1] == ["-m"]:  # which it is while `python -m` looks for the module
    _leave_out_current_folder()

from studies.base import first_signals  # noqa: E402

if first_signals.is_a_command():
    first_signals.end_at_once()

from collections.abc import Callable, Mapping  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

if TYPE_CHECKING:
    from studies.base.errors import DamagedRecordError, HeldError, StudiesError, UsageError
    from studies.execution.session import Result
    from studies.results.recorded import RecordedStudy
    from studies.study import (
        Confirm,
        ErrorShares,
        Metric,
        Nuisance,
        Search,
        SmallestEffect,
        Study,
        Thresholds,
    )
    from trainables.use.model import Model

__all__ = [
    "Confirm",
    "DamagedRecordError",
    "ErrorShares",
    "HeldError",
    "Metric",
    "Nuisance",
    "Search",
    "SmallestEffect",
    "StudiesError",
    "Study",
    "Thresholds",
    "UsageError",
    "load_model",
    "load_study",
    "run_study",
]

_ERRORS = ("DamagedRecordError", "HeldError", "StudiesError", "UsageError")


def __getattr__(name: str) -> Any:
    """Import what a study's file uses when it is asked for: `studies --help` waits for neither Optuna nor torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    from studies.base.quiet_imports import without_widgets

    with without_widgets():
        value = getattr(
            importlib.import_module("studies.base.errors" if name in _ERRORS else "studies.study"), name
        )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return every name, also those that have not been imported yet."""
    return sorted({*globals(), *__all__})


def run_study(
    study: "str | Study",
    *,
    load: Callable[..., Any] | None = None,
    build: Callable[..., Any] | None = None,
    train: Callable[..., Any] | None = None,
    profile: str = "laptop",
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
    name: str | None = None,
    storage: str | None = None,
    output: str | None = None,
    address: str | None = None,
    workers: int | None = None,
    cpus_per_trial: float = 1.0,
    gpus_per_trial: float = 0.0,
    dashboard: bool = False,
    take_over: bool = False,
    budget: str | None = None,
    until: str = "clear",
    live: bool = True,
    progress: bool | None = None,
) -> "Result":
    """Run or resume a study and make its report: the same as `studies run`.

    `study` is a name from the catalog, the path of a file, or a Study made in Python, which needs a `name`; `load`,
    `build` and `train` are then its own functions, defined in a notebook's cells or a script. `settings` maps dotted
    fields to values, as `--set` does, `budget` is the time that the study may take, such as "2h", and `until` whether
    it goes on until every question is answered ("clear") or stops after the look at hand ("look"). With `live` a page
    beside the report, live.html, says each minute how the run goes. `progress` is shown in notebooks, and elsewhere
    where it is True. Raises studies.base.errors.UsageError for a request that is not valid,
    before anything is written, and HeldError if another run holds the study, unless `take_over` takes it from that run.

    >>> import studies
    >>> result = studies.run_study("depth_study", profile="smoke", output="runs")
    >>> result.report_path.as_posix(), sorted(result.best["params"])[:3]
    ('runs/depth_study-smoke/report.html', ['batch_norm', 'depth', 'dropout'])
    """
    from studies.base.quiet_imports import without_widgets
    from studies.base.stop_signal import handling_signals, never_broken_off
    from studies.terminal.notebook import showing_progress

    with showing_progress(progress) as view:
        view.tell("loading Studies")
        # A library whose import is interrupted could not be imported again in a notebook's kernel.
        with handling_signals(), never_broken_off(), without_widgets():
            from studies.execution.session import run
            from studies.planning.in_python import told_in_python
            from studies.planning.python_request import python_request
            from studies.planning.resources import Resources
            from studies.storage.paths import locate
            from studies.terminal.display import logging_too

        with told_in_python():
            locations = locate(storage, output)
            request = python_request(
                study,
                {"load": load, "build": build, "train": train},
                locations,
                profile=profile,
                settings=settings or {},
                seed=seed,
                name=name,
                budget=budget,
                until=until,
                live=live,
            )
        with told_in_python(request):
            result = run(
                request,
                locations=locations,
                resources=Resources.asked_for(
                    address=address,
                    workers=workers,
                    cpus_per_trial=cpus_per_trial,
                    gpus_per_trial=gpus_per_trial,
                    dashboard=dashboard,
                ),
                showing=logging_too(view.showing(locations), locations),
                telling=view.tell,
                take_over=take_over,
            )
        view.end(result)
        return result


def load_study(name: str, *, storage: str | None = None) -> "RecordedStudy":
    """Return what is recorded of the study called `name`, as tidy DataFrames.

    Raises studies.base.errors.UsageError that lists the existing studies if there is none of that name.

    >>> import studies
    >>> study = studies.load_study("depth_study-smoke")
    >>> study.trials().groupby("phase").size().to_dict()
    {'confirm': 8, 'search': 24}
    """
    from studies.planning.in_python import told_in_python
    from studies.results.recorded import load

    with told_in_python():
        return load(name, storage=storage)


def load_model(
    folder: str | Path,
    *,
    ensemble: bool = False,
    calibrated: bool = False,
    trust_code: bool = False,
    engine: str = "torch",
) -> "Model":
    """Return the model in a folder that a study left, such as runs/depth_study/models/best.

    It predicts by scikit-learn's conventions from raw inputs: arrays, a DataFrame, texts, or paths of images. With
    `ensemble` the probabilities of all replicates are averaged, with `calibrated` those of the chosen one are softened
    by the temperature fitted on its validation part. A network that a user's own code builds runs only with
    `trust_code`. `engine` "onnx" or "onnx-int8" runs the network that `studies export` wrote beside it. Raises
    studies.base.errors.UsageError that says what to do if the folder cannot be used.

    >>> import numpy as np
    >>> import studies
    >>> model = studies.load_model("runs/depth_study-smoke/models/best")
    >>> inputs = np.zeros((2, 64))
    >>> model.predict(inputs).shape, model.predict_proba(inputs).shape
    ((2,), (2, 10))
    """
    from studies.planning.in_python import told_in_python
    from studies.results.saved_models import load

    with told_in_python():
        return load(folder, ensemble=ensemble, calibrated=calibrated, trust_code=trust_code, engine=engine)
