"""Loads a model that a study left, with what is wrong with it as a `UsageError`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from studies.base.errors import UsageError

if TYPE_CHECKING:
    from trainables.use.model import Model


def load(
    folder: str | Path,
    *,
    ensemble: bool = False,
    calibrated: bool = False,
    trust_code: bool = False,
    engine: str = "torch",
) -> "Model":
    """Return the model; see `studies.load_model`."""
    from trainables.use.model import load_model

    with explaining():
        return load_model(
            folder, ensemble=ensemble, calibrated=calibrated, trust_code=trust_code, engine=engine
        )


@contextmanager
def explaining() -> Iterator[None]:
    """Turn an error about a model, its inputs or what is kept with it into a `UsageError` with the same words."""
    from trainables.base.errors import InputError, ModelError
    from trainables.data.dataset_files import DatasetError
    from trainables.use.exported.errors import ExportError

    try:
        yield
    except (DatasetError, ModelError, ExportError) as error:
        raise UsageError([error.message], error.advice) from error
    except InputError as error:
        raise UsageError(list(error.mistakes), error.advice) from error
