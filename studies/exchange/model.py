"""Copies a study's best model to a folder, and exports it in the formats of other runtimes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.base.errors import UsageError
from studies.base.messages import unknown
from studies.base.steps import Tell
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.exchange.destinations import check_folder, load_extra, make_folder
from studies.results.best_model import FOLDER, write_model
from studies.results.saved_models import explaining
from studies.storage.bringing import bring
from studies.storage.mirror import MODELS
from studies.storage.paths import Locations
from studies.storage.remembered import remembering

if TYPE_CHECKING:
    from trainables.use.exported.records import Exported, Subject
    from trainables.use.saved_model import ModelFolder

ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")

REPORT = "export.json"
"""The file that says how each format compares with the model."""


def parse_formats(given: str | None) -> tuple[str, ...]:
    """Return the formats named, separated by commas; raise UsageError that lists them for an unknown one."""
    from trainables.use import formats

    asked = tuple(dict.fromkeys(name.strip() for name in (given or "").split(",") if name.strip()))
    wrong = [name for name in asked if name not in formats.names()]
    if wrong:
        raise UsageError(
            [f"--model-format {given}: {unknown(wrong[0], 'format', formats.names())}"],
            "Give one or several, separated by commas: --model-format onnx,onnx-int8",
        )
    return asked


def make_environment(formats: Sequence[str]) -> None:
    """Make the environment in which TensorFlow Lite files are made, unless it is there or no format needs it."""
    from trainables.use.exported import tflite_environment
    from trainables.use.exported.errors import ExportError

    if not any(name.startswith("tflite") for name in formats):
        raise UsageError(
            ["--make-environment goes with --model-format tflite or tflite-int8"], "Add one of them."
        )
    try:
        tflite_environment.make_environment(lambda line: print(line, file=sys.stderr))
    except ExportError as error:
        raise UsageError([f"--make-environment: {error.message}"], error.advice) from error


def check(folder: Path, study: StudyRow, formats: Sequence[str] = ()) -> None:
    """Raise UsageError unless a model can be written there, and what its formats need is installed."""
    check_folder("--model", folder, study)
    for name in formats:
        for package in ONNX_PACKAGES if name.startswith("onnx") else ():
            load_extra(package, option=f"--model-format {name}", extra="onnx")


def export(
    store: Store,
    study: StudyRow,
    folder: Path,
    *,
    formats: Sequence[str],
    locations: Locations,
    calibrated: bool,
    trust_code: bool,
    tell: Tell,
) -> str:
    """Copy models/best to `folder`, add a file for each format, and return what is there now, with a table.

    With `calibrated` the probabilities in these files are softened by the model's temperature. Raises UsageError where
    there is no model, a package is missing, or a file computes something else than the model.
    """
    from trainables.use.exported.errors import ExportError
    from trainables.use.formats import export as export_format
    from trainables.use.saved_model import MANIFEST, ModelFolder, to_json

    with explaining():
        opened = ModelFolder.open(bring(study, remembering(store, study, locations), f"{MODELS}/") / FOLDER)
        subject = _subject(opened, calibrated=calibrated, trust_code=trust_code) if formats else None
    make_folder(folder, study)
    files = {name: opened.read(name) for name in opened.files}
    write_model(folder, {**files, MANIFEST: (opened.path / MANIFEST).read_bytes()})
    made: list[Exported] = []
    for name in formats:
        tell(f"exporting the model as {name}")
        assert subject is not None, "a format needs the network"
        try:
            made.append(export_format(name, subject, folder))
        except ExportError as error:
            raise UsageError([f"--model-format {name}: {error.message}"], error.advice) from error
    if made:
        from reports.pages.atomic_files import write_whole

        write_whole(folder / REPORT, to_json([each.as_json() for each in made]))
    return "\n".join(
        [f"the model is in {folder}: studies.load_model({str(folder)!r})", *_table(opened, made)]
    )


def _subject(opened: "ModelFolder", *, calibrated: bool, trust_code: bool) -> "Subject":
    from trainables.use import examples
    from trainables.use.exported.records import Subject
    from trainables.use.networks import module_of
    from trainables.use.saved_model import reading

    kept = opened.read(examples.FILE)
    with reading(opened.path):
        drawn = examples.from_bytes(kept)
    config, preprocessing = opened.config, opened.preprocessing
    return Subject(
        module=module_of(opened, trust_code=trust_code),
        study=config.study,
        classes=config.classes,
        test=drawn["test"],
        validation=drawn["validation"],
        kind=preprocessing.kind,
        feature_names=preprocessing.feature_names,
        temperature=config.temperature if calibrated else 1.0,
        metadata={"dataset": config.dataset, "trial": str(config.trial), "block": str(config.block)},
    )


def _table(opened: "ModelFolder", made: "Sequence[Exported]") -> list[str]:
    """Return a table in plain text: what each format takes and how it differs from the model."""
    if not made:
        return []
    head = ("format", "file", "bytes", "differs by", "accuracy", "log-loss", "ECE")
    first = made[0].module_scores
    size = len(opened.read("weights.safetensors"))
    rows: list[tuple[Any, ...]] = [("model", "weights.safetensors", f"{size:,}", "", *_scores(first))]
    rows += [
        (
            each.format,
            each.paths[0].name,
            f"{each.num_bytes:,}",
            f"{each.largest_probability_difference:.1e}",
            *_scores(each.scores),
        )
        for each in made
    ]
    widths = [max(len(str(row[place])) for row in (head, *rows)) for place in range(len(head))]
    lines = [
        "  ".join(
            str(cell).ljust(width) if place < 2 else str(cell).rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
    notes = [f"{each.format}: {each.note}" for each in made if each.note]
    return [
        *(f"  {line}" for line in lines),
        "  differs by: largest difference of a probability; ECE: expected calibration error",
        *(f"  {note}" for note in notes),
    ]


def _scores(scores: Any) -> tuple[str, str, str]:
    return f"{scores.accuracy:.4f}", f"{scores.log_loss:.4f}", f"{scores.calibration_error:.4f}"
