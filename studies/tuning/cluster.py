"""Starting or joining Ray, with its doors closed: loopback dashboard, token authentication, a private folder."""

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from studies.errors import StudiesError
from studies.tuning.resources import Resources

# Read by Ray when it is imported or started.
ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running Ray: `num_workers` trials at a time, `threads` for each, and where its dashboard is."""

    num_workers: int
    threads: int
    dashboard_url: str | None
    token_path: Path | None


@contextmanager
def starting_cluster(resources: Resources) -> Iterator["Future[Cluster]"]:
    """Start or join Ray in the background, and on leaving shut down what was started.

    A cold start takes 5-12 s, in which the caller can load data. The future raises StudiesError where Ray cannot
    be started or joined.
    """
    os.environ.update(ENVIRONMENT)
    # Short, because Ray's sockets lie in it and their paths are limited; private, because Ray opens its own to all.
    folder = Path(tempfile.mkdtemp(prefix="studies-"))
    with ThreadPoolExecutor(1, thread_name_prefix="ray-start") as executor:
        future = executor.submit(_start, resources, folder)
        try:
            yield future
        finally:
            _stop(future)
            shutil.rmtree(folder, ignore_errors=True)


def _start(resources: Resources, folder: Path) -> Cluster:
    import ray

    if resources.address is None:
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(_write_token(folder / "token"))
    num_cpus = _num_cpus(resources)
    try:
        if resources.address is None:
            context = ray.init(
                address="local",
                num_cpus=num_cpus,
                include_dashboard=resources.dashboard,
                dashboard_host="127.0.0.1",
                _temp_dir=str(folder / "ray"),
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
        else:
            context = ray.init(address=resources.address, logging_level=logging.ERROR, log_to_driver=False)
    except Exception as error:
        raise StudiesError(
            f"Ray could not be started: {error}"
            if resources.address is None
            else f"no Ray cluster could be joined at {resources.address}: {error}",
            "Check free memory and /tmp, or try --no-dashboard."
            if resources.address is None
            else "Check the address (ray status), or leave out --address to run on this machine.",
        ) from error
    total = ray.cluster_resources()  # type: ignore[no-untyped-call]
    num_workers = resources.workers or _fitting(total, resources)
    cores = int(total.get("CPU", 1)) if resources.address is not None else (os.cpu_count() or 1)
    url = context.dashboard_url if resources.dashboard or resources.address is not None else None
    return Cluster(
        num_workers=num_workers,
        threads=max(1, cores // num_workers if resources.address is None else int(resources.cpus_per_trial)),
        dashboard_url=f"http://{url}" if url else None,
        token_path=folder / "token" if resources.address is None else None,
    )


def _write_token(path: Path) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path


def _num_cpus(resources: Resources) -> int:
    """Return the CPUs that Ray may give out here: the machine's, or as many as the workers asked for take."""
    wanted = (resources.workers or 0) * resources.cpus_per_trial
    return max(os.cpu_count() or 1, int(wanted + 0.999))


def _fitting(total: dict[str, float], resources: Resources) -> int:
    """Return how many trials fit on the cluster at once."""
    limits = []
    if resources.cpus_per_trial:
        limits.append(total.get("CPU", 0.0) / resources.cpus_per_trial)
    if resources.gpus_per_trial:
        limits.append(total.get("GPU", 0.0) / resources.gpus_per_trial)
    fitting = int(min(limits, default=1.0) + 1e-9)
    if fitting < 1:
        has = ", ".join(f"{total.get(kind, 0.0):g} {kind}" for kind in ("CPU", "GPU"))
        raise StudiesError(
            f"no trial fits: one takes {resources.cpus_per_trial:g} CPU and {resources.gpus_per_trial:g} GPU, "
            f"the cluster has {has}",
            "Lower --cpus-per-trial or --gpus-per-trial.",
        )
    return fitting


def _stop(future: "Future[Cluster]") -> None:
    """Shut Ray down if it was started, whether or not anybody waited for it."""
    if future.cancel():
        return
    if future.exception() is None:
        import ray

        ray.shutdown()
