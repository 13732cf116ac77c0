"""The command `studies export NAME`: hands what is recorded of a study to other tools."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studies._cli import run_door
from studies.base.errors import UsageError
from studies.base.steps import Tell, telling_steps
from studies.planning.command_line import add_storage
from studies.storage.paths import locate

if TYPE_CHECKING:
    from studies.base.states import Phase
    from studies.database.rows import StudyRow
    from studies.database.store import Store

Send = Callable[["Store", "StudyRow", Tell], str]
"""Exports a study and returns one line that says what is there now."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An option that exports to one place.

    `prepare` is given the option's value, all options and the study; it raises UsageError for a place that cannot be
    used, before anything is written to any place, and returns what exports.
    """

    option: str
    metavar: str
    about: str
    prepare: Callable[[str, argparse.Namespace, "StudyRow"], Send]
    next_command: str | None = None
    """What shows the result, with {place} for the option's value."""


def _frames(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import frames

    folder, file_format = Path(place), options.format or frames.FORMATS[0]
    frames.check(folder, study)
    return lambda store, study, tell: frames.export(store, study, folder, file_format=file_format, tell=tell)


def _optuna(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import optuna

    url = optuna.check(place)
    return lambda store, study, tell: optuna.export(store, study, url, tell=tell)


def _mlflow(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import mlflow

    uri, phase = mlflow.check(place), _phase(options)
    return lambda store, study, tell: mlflow.export(store, study, uri, phase=phase, tell=tell)


def _tensorboard(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import tensorboard

    folder, phase = Path(place), _phase(options)
    tensorboard.check(folder, study)
    return lambda store, study, tell: tensorboard.export(store, study, folder, phase=phase, tell=tell)


def _wandb(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import wandb

    folder, phase = Path(place), _phase(options)
    wandb.check(folder)
    return lambda store, study, tell: wandb.export(store, study, folder, phase=phase, tell=tell)


def _model(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import model

    folder, formats = Path(place), model.parse_formats(options.model_format)
    model.check(folder, study, formats)
    if options.make_environment:
        model.make_environment(formats)
    locations = locate(options.storage, options.output)
    return lambda store, study, tell: model.export(
        store,
        study,
        folder,
        formats=formats,
        locations=locations,
        calibrated=options.calibrated,
        trust_code=options.trust_code,
        tell=tell,
    )


def _script(place: str, options: argparse.Namespace, study: "StudyRow") -> Send:
    from studies.exchange import script

    path = Path(place)
    if path.suffix != ".py":
        raise UsageError(
            [f"--script {path}: a script's name ends in .py"], "Give such a name: --script best.py"
        )

    def send(store: "Store", study: "StudyRow", tell: Tell) -> str:
        tell("writing the script")
        script.write_script(store, study, path)
        return f"the best configuration is {path}, one script without Studies"

    return send


TARGETS = (
    Target(
        option="model",
        metavar="DIR",
        about="copy the best model into this folder, with a file for each --model-format",
        prepare=_model,
        next_command="studies predict {place} --input FILE",
    ),
    Target(
        option="script",
        metavar="FILE.py",
        about="write the best configuration as one plain PyTorch script that needs no Studies",
        prepare=_script,
        next_command="python {place} 1",
    ),
    Target(
        option="frames",
        metavar="DIR",
        about="write every frame of the study into this folder, as CSV or Parquet",
        prepare=_frames,
    ),
    Target(
        option="optuna",
        metavar="URL",
        about="add the trials to this Optuna database, such as sqlite:///optuna.db",
        prepare=_optuna,
        next_command="optuna-dashboard {place}",
    ),
    Target(
        option="mlflow",
        metavar="URI",
        about="add a run for each network to this MLflow database or server, such as sqlite:///mlflow.db",
        prepare=_mlflow,
        next_command="mlflow ui --backend-store-uri {place}",
    ),
    Target(
        option="tensorboard",
        metavar="DIR",
        about="write TensorBoard's event files of each network below this folder",
        prepare=_tensorboard,
        next_command="tensorboard --logdir {place}",
    ),
    Target(
        option="wandb",
        metavar="DIR",
        about="write an offline run of Weights & Biases for each network below this folder",
        prepare=_wandb,
        next_command="wandb sync {place}/wandb/offline-run-*",
    ),
)
"""Where a study can be exported to, in the order in which it is done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Export a study to the places named, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    asked = [target for target in TARGETS if getattr(options, target.option) is not None]
    if not asked:
        named = ", ".join(f"--{target.option} {target.metavar}" for target in TARGETS)
        raise UsageError(["nothing to export to was named"], f"Give one or several of: {named}")
    if options.format is not None and options.frames is None:
        raise UsageError(["--format goes with --frames"], "Add --frames DIR, or leave out --format.")
    if options.model_format is not None and options.model is None:
        raise UsageError(
            ["--model-format goes with --model"], "Add --model DIR, or leave out --model-format."
        )
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.verification.damage import explaining_damage, refuse_damaged

    locations = locate(options.storage, options.output)
    with (
        Store.open(locations.storage, create=False) as store,
        explaining_damage(store, options.name),
        telling_steps() as steps,
    ):
        study = find(store, options.name)
        sends = [target.prepare(getattr(options, target.option), options, study) for target in asked]
        refuse_damaged(store, study.name)
        said = [send(store, study, steps.tell) for send in sends]
    for target, line in zip(asked, said, strict=True):
        print(line)
        if target.next_command is not None:
            print(f"  {target.next_command.format(place=getattr(options, target.option))}")
    return 0


def _phase(options: argparse.Namespace) -> "Phase | None":
    from studies.base.states import Phase

    return None if options.phase is None else Phase(options.phase)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies export",
        description="Hand what is recorded of a study to other tools. What is there already is left as it is, so that "
        "the same command, given again, adds what is new or goes on where it stopped.",
        epilog="Example: studies export depth_study --frames frames --optuna sqlite:///optuna.db",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    group = parser.add_argument_group("where to (one or several)")
    for target in TARGETS:
        group.add_argument(f"--{target.option}", metavar=target.metavar, help=target.about)
    group = parser.add_argument_group("how")
    group.add_argument(
        "--model-format",
        metavar="FORMAT,...",
        help="for --model: onnx, onnx-int8, torch, tflite, tflite-int8; each is compared with the model",
    )
    group.add_argument(
        "--calibrated",
        action="store_true",
        help="for --model-format: soften probabilities by the temperature fitted on validation data",
    )
    group.add_argument(
        "--trust-code", action="store_true", help="for --model: run the user's code that builds the network"
    )
    group.add_argument(
        "--make-environment",
        action="store_true",
        help="for tflite and tflite-int8: make the environment that they need first (about 1 GB is downloaded)",
    )
    group.add_argument("--format", choices=("csv", "parquet"), help="format of --frames (default: csv)")
    group.add_argument(
        "--phase",
        choices=("search", "confirm"),
        help="for --mlflow, --tensorboard and --wandb: only the networks of this phase (default: all)",
    )
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
