"""Where workers look for modules: never in the folder in which a command was given."""

import site
from pathlib import Path

from ray.job_config import JobConfig

ROOT = Path(__file__).resolve().parents[2]
"""The folder of our packages."""


class _JobConfig(JobConfig):
    def _runtime_env_has_working_dir(self) -> bool:
        """Say yes, or Ray would put the current folder and the script's before all that its workers import from.

        There a `torch.py`, a `types.py` or a folder `reports` of somebody else's would be found first. Nothing there is
        needed: the code of a study file is sent as source.
        """
        return True


def job_config() -> JobConfig:
    """Return what Ray is joined with: its workers find our packages, from a checkout that is not installed, too."""
    return _JobConfig(_py_driver_sys_path=[] if _is_installed() else [str(ROOT)])


def _is_installed() -> bool:
    """Say whether any Python process of this environment finds our packages by itself."""
    places = [*site.getsitepackages(), site.getusersitepackages()]
    return ROOT in {Path(place).resolve() for place in places}
