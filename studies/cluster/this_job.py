"""The job of a Ray cluster that this process is the driver of, if it was submitted as one (`ray job submit`)."""

import json
import os
from typing import Any, Final

CONFIG: Final = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""The environment variable (this is its name) in which Ray hands a job's settings to its driver."""
SUBMISSION_ID: Final = "job_submission_id"
"""The key of a job's id among its metadata, as Ray calls it."""


def submission_id() -> str | None:
    """Return the id that `ray job logs` and `ray job stop` take; None if this process is no job's driver."""
    found = metadata().get(SUBMISSION_ID)
    return found if isinstance(found, str) else None


def metadata() -> dict[str, Any]:
    """Return what was handed over with this job, and its id; nothing if this process is no job's driver."""
    try:
        config = json.loads(os.environ.get(CONFIG, "{}"))
    except ValueError:
        return {}
    found = config.get("metadata") if isinstance(config, dict) else None
    return found if isinstance(found, dict) else {}
