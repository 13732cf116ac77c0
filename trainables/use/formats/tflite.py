"""TensorFlow Lite, for phones and small machines."""

from pathlib import Path

from trainables.use.exported.records import Exported, Subject
from trainables.use.exported.tflite_files import export_tflite

FILE = "model.tflite"


def export(subject: Subject, folder: Path) -> Exported:
    """Write `folder`/model.tflite; raises ExportError as `formats.export` does, and without an environment for it."""
    return export_tflite(subject, folder / FILE, is_int8=False)
