"""The request of those who call Python: a study by its name or path, or made in Python with functions of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studies.base.errors import UsageError
from studies.definition.study import Study
from studies.planning.request import Request
from studies.storage.paths import Locations
from studies.user_files.from_python import CODE, FILE, found_in_python

_NAME = 'Give it one, which its folder and its row in the storage get: run_study(..., name="my_study").'


def python_request(
    study: object, functions: Mapping[str, object], locations: Locations, *, name: str | None, **options: Any
) -> Request:
    """Return the request of a call of `studies.run_study`; functions that are None are not given.

    The code of a study made in Python is, or will be, a file in the study's folder, and modules that it imports from
    the current folder go with it. Raises UsageError that says what a study or a call lacks.
    """
    given = {role: function for role, function in functions.items() if function is not None}
    if isinstance(study, Study):
        if name is None:
            raise UsageError(["a study that is made in Python has no name of its own"], _NAME)
        folder = locations.folder(name) / CODE
        made = found_in_python(study, given, folder, beside=Path.cwd())
        return Request(study=str(folder / FILE), name=name, made=made, **options)
    if not isinstance(study, str):
        raise UsageError(
            [
                f"a study must be a name of the catalog, the path of a file, or a Study; got a {type(study).__name__}"
            ],
            "Make one: studies.Study(question=..., factors={...}).",
        )
    if given:
        named = " and ".join(f"{role}=" for role in given)
        raise UsageError(
            [f"{named} given for the study {study}, which has functions of its own file, or none"],
            "Give them with a Study made in Python, or define them in the file.",
        )
    return Request(study=study, name=name, **options)
