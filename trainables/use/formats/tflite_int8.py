"""TensorFlow Lite with weights in 8 bits, for phones and small machines."""

from pathlib import Path

from trainables.use.exported.records import Exported, Subject
from trainables.use.exported.tflite_files import export_tflite

FILE = "model-int8.tflite"


def export(subject: Subject, folder: Path) -> Exported:
    """Write `folder`/model-int8.tflite; raises ExportError as `formats.export` does, and without an environment."""
    return export_tflite(subject, folder / FILE, is_int8=True)
