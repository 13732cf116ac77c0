"""Where workers import modules from: never from the folder in which a command was given."""

import site
from pathlib import Path

from ray.job_config import JobConfig

ROOT = Path(__file__).resolve().parents[2]
"""The folder that contains our packages."""


class _JobConfig(JobConfig):
    def _runtime_env_has_working_dir(self) -> bool:
        """Return True, or Ray would put the current folder and the script's first on its workers' import path.

        A `torch.py`, `types.py` or folder `reports` there would hide the real one. Nothing there is needed: the code
        of a study file is sent as source.
        """
        return True


def job_config() -> JobConfig:
    """Return the job configuration for joining Ray: workers find our packages, even in a checkout not installed."""
    return _JobConfig(_py_driver_sys_path=[] if _is_installed() else [str(ROOT)])


def _is_installed() -> bool:
    """Return whether every Python process of this environment finds our packages by itself."""
    places = [*site.getsitepackages(), site.getusersitepackages()]
    return ROOT in {Path(place).resolve() for place in places}
