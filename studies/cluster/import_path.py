"""Where workers import modules from: never from the folder in which a command was given."""

import site
from pathlib import Path

from ray.job_config import JobConfig

ROOT = Path(__file__).resolve().parents[2]
"""The folder that contains our packages."""
JOB_NAME = "job_name"
"""The key of a job's metadata that Ray's dashboard shows as its name."""


class _JobConfig(JobConfig):
    def _runtime_env_has_working_dir(self) -> bool:
        """Return True, or Ray would put the current folder and the script's first on its workers' import path.

        A `torch.py`, `types.py` or folder `reports` there would hide the real one. Nothing there is needed: the code
        of a study file is sent as source.
        """
        return True


def job_config(name: str = "") -> JobConfig:
    """Return the job configuration for joining Ray: workers find our packages, even in a checkout not installed.

    `name` is what the dashboard's list of jobs calls it; a name that the job was submitted with takes its place.
    """
    metadata = {JOB_NAME: name} if name else {}
    return _JobConfig(_py_driver_sys_path=[] if _is_installed() else [str(ROOT)], metadata=metadata)


def _is_installed() -> bool:
    """Return whether every Python process of this environment finds our packages by itself."""
    places = [*site.getsitepackages(), site.getusersitepackages()]
    return ROOT in {Path(place).resolve() for place in places}
