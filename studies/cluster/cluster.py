"""Starting or joining Ray securely: dashboard on loopback only, token authentication, a private folder."""

import atexit
import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from studies.base.errors import StudiesError
from studies.base.stop_signal import SHUT_DOWN, ended_at_deadline
from studies.cluster import room
from studies.cluster.address import not_joined
from studies.cluster.head import Head, NotStartedError
from studies.cluster.node_check import Asked, NodeCheck
from studies.cluster.reaper import LOG, TEMPORARY, end_processes, guarded, owned, remove_abandoned_folders
from studies.cluster.room import Bundle, NodeRoom
from studies.cluster.token import MODE, TOKEN_PATH, forget_earlier_token, write_token
from studies.planning.resources import Resources, num_cores
from trainables.base.safe_path import safe_path

# In a notebook Ray asks, on the cell's error output, for widgets that nothing here uses.
logging.getLogger("ray.widgets.util").setLevel(logging.WARNING)

# Read by Ray when it is imported or started.
ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Metrics would be served on the network without the token: the agent's are switched off, and a port beyond the
    # last valid one keeps the other servers from starting (Ray logs one line about that).
    "RAY_enable_metrics_collection": "0",
    "AUTOSCALER_METRIC_PORT": "65536",
    "DASHBOARD_METRIC_PORT": "65536",
    # By default workers run at niceness 15: on a machine that does anything else, trials take many times as long.
    "RAY_worker_niceness": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # After Ray is lost, a stray call to it would start another one.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    # Ray prints events of its processes on standard output, whatever log_to_driver is.
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    # glibc would return every activation's memory to the system and fault it in again at the next step, which takes
    # up to a third of a worker's time; so it keeps up to 4 GiB, and asks for 64 MiB at a time.
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),  # the largest that every glibc accepts
    "MALLOC_TRIM_THRESHOLD_": str(4 * 2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}


WORKERS_MODULES = ("torch", "trainables.trial", "trainables.trials.reporting")
"""What a worker imports when its process starts; what is not there, as in a checkout not installed, it does without."""
SECRETS = ("STUDIES_STORAGE", "PGPASSWORD")
"""Environment variables that Ray's processes must not inherit: the storage's URL and password."""
MAX_FOLDER_LENGTH = 45
"""Longest path, in characters, of a folder in which Ray can create its sockets."""
SECONDS_TO_SHUT_DOWN = 3.0
SECONDS_TO_JOIN = 30.0
"""How long leaving waits for a join in progress, which can be shut down only once it has ended."""
PATIENCE = {"RAY_gcs_rpc_server_reconnect_timeout_s": str(365 * 24 * 3600)}
"""Set in this process only: Ray would end it a minute after its gcs_server, and a notebook's kernel with it."""


def environment_without_secrets() -> dict[str, str]:
    """Return the environment for a process that a run starts beside Ray's."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running Ray: `num_workers` concurrent trials with `threads` threads each.

    `find_dashboard` returns the dashboard's URL, or None while that starts; it is None where no dashboard is shown.
    `scratch` is a private folder for Tune's files, which nobody reads; it is removed with the cluster.
    """

    num_workers: int
    threads: int
    find_dashboard: Callable[[], str | None] | None
    token_path: Path | None
    scratch: Path
    ray_cluster: str | None = None
    """The id of the Ray cluster that was joined, which other studies may share; None if it was started here."""
    nodes: tuple[NodeRoom, ...] = ()
    """The nodes of a cluster that was joined, as they were then."""
    gpus_per_trial: float | None = None
    """What a trial takes of a GPU where nothing was asked for but this machine has several, None elsewhere."""
    node_check: NodeCheck | None = None
    """The check of the nodes of a cluster that was joined, which goes on in the background."""

    def bundle(self, resources: Resources) -> Bundle:
        """Return what each trial takes."""
        return _bundle(resources, self.gpus_per_trial)

    def keep_log(self, path: Path) -> None:
        """Have the last words of this process, should it be killed, appended to the run's log as well."""
        (self.scratch.parent / LOG).write_text(str(path), encoding="utf-8")

    def leave(self) -> None:
        """Disconnect this process, then kill the cluster's processes, though calls to Ray may hang."""
        _shut_down(self.scratch.parent)
        end_processes(self.scratch.parent, patience_seconds=0.0)


@contextmanager
def starting_cluster(
    resources: Resources, *, last_words: str = "", name: str = "", asked: Asked | None = None
) -> Iterator["Future[Cluster]"]:
    """Start or join Ray in the background; on leaving, shut down what was started, or is still starting.

    A cold start takes 5-12 s, in which the caller can load data. The future raises StudiesError if Ray cannot be
    started or joined, or if no trial would fit. If this process has a Ray already, StudiesError is raised at once and
    that Ray is left alone. If this process is killed, a guard process ends what was started and prints `last_words`.
    The nodes of a cluster that is joined are asked what `asked` says.
    Ray's dashboard lists the run as `name`.
    """
    _refuse_second_ray()
    with _private_folder(last_words) as folder, _environment(resources, folder), ExitStack() as stack:
        head = stack.enter_context(_start_head(resources, folder)) if resources.address is None else None
        future = stack.enter_context(_in_a_thread(lambda: _join(resources, folder, head, name, asked)))
        try:
            yield future
        finally:
            if head is not None:
                head.give_up()
            wait([future], timeout=SECONDS_TO_JOIN)
            _shut_down(folder)
            end_processes(folder, patience_seconds=0.0)


@contextmanager
def _in_a_thread(work: "Callable[[], Cluster]") -> Iterator["Future[Cluster]"]:
    """Run `work` in a thread that lives until the context ends: what belongs to a driver's thread ends with it.

    If the thread hangs, it blocks neither the end of this context nor the end of the interpreter.
    """
    future: Future[Cluster] = Future()
    over = threading.Event()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        over.wait()

    thread = threading.Thread(target=run, name="ray-start", daemon=True)
    thread.start()
    try:
        yield future
    finally:
        over.set()
        if future.done():
            thread.join()


def _refuse_second_ray() -> None:
    """Raise StudiesError if the caller runs a Ray of its own; if Ray is not even imported, it cannot."""
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        raise StudiesError("Ray runs in this process already", "Call ray.shutdown() first.")


@contextmanager
def _private_folder(last_words: str) -> Iterator[Path]:
    """Make a folder that nobody else may enter, because Ray makes its own inside it accessible to all; remove it."""
    short = len(tempfile.gettempdir()) + len("/studies-12345678/ray") <= MAX_FOLDER_LENGTH
    parent = Path(tempfile.gettempdir() if short else "/tmp")
    remove_abandoned_folders(parent)
    folder = Path(tempfile.mkdtemp(prefix="studies-", dir=parent))

    def end() -> None:
        hush()
        end_processes(folder, patience_seconds=0.0)

    with (
        guarded(folder, last_words, secrets=SECRETS) as hush,
        owned(folder),
        ended_at_deadline(end),
    ):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _environment(resources: Resources, folder: Path) -> Iterator[None]:
    """Set Ray's environment variables while it runs, with a token's path if it is started here."""
    settings = ENVIRONMENT | PATIENCE
    if resources.address is None:
        settings |= {MODE: "token", TOKEN_PATH: str(write_token(folder / "token"))}
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


def _start_head(resources: Resources, folder: Path) -> Head:
    """Start Ray on this machine, in a process without the driver's secrets."""
    (folder / TEMPORARY).mkdir()
    left_out = {*SECRETS, *PATIENCE}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    # Ray's dashboard and torch's compiler leave folders behind.
    environment["TMPDIR"] = str(folder / TEMPORARY)
    # Ray starts a worker a core with itself, which then import this while the dashboard starts and the driver loads.
    environment["RAY_preload_python_modules"] = ",".join(WORKERS_MODULES)
    options = {
        "num_cpus": _num_cpus(resources),
        "include_dashboard": resources.dashboard,
        "dashboard_host": "127.0.0.1",
        "_temp_dir": str(folder / "ray"),
    }
    return Head(folder, options, safe_path(environment))


def _join(
    resources: Resources, folder: Path, head: Head | None, name: str, asked: Asked | None = None
) -> Cluster:
    """Join the Ray that was started here, or the requested cluster, whose nodes are asked what `asked` says.

    Ray's log on the screen is off: lost workers are recorded as events of their trials.
    """
    import ray

    from studies.cluster.import_path import job_config

    try:
        if head is not None:
            forget_earlier_token()
        address = resources.address if head is None else head.address()
        url = ray.init(
            address=address, job_config=job_config(name), logging_level=logging.CRITICAL, log_to_driver=False
        ).dashboard_url
    except NotStartedError:
        raise
    except Exception as error:
        raise _not_started(resources, error) from error
    nodes = room.look()
    if head is None:
        return _joined(nodes, resources, folder, url, asked)
    share = _gpu_share(nodes, resources)
    fitting = room.fitting(nodes, _bundle(resources, share))
    if not fitting:
        raise room.no_room(nodes, _bundle(resources, share))
    num_workers = resources.workers or fitting
    return Cluster(
        num_workers=num_workers,
        threads=_threads(num_cores() // num_workers),
        find_dashboard=head.dashboard if resources.dashboard else None,
        token_path=folder / "token",
        scratch=folder / "tune",
        gpus_per_trial=share,
    )


def _joined(
    nodes: list[NodeRoom], resources: Resources, folder: Path, url: str | None, asked: Asked | None
) -> Cluster:
    """Return the cluster that was joined; raise StudiesError if no trial fits on it now or later."""
    from studies.cluster import autoscaling

    fitting = room.fitting(nodes, _bundle(resources))
    if not fitting and autoscaling.find() is None:
        raise room.no_room(nodes, _bundle(resources))
    fitting = max(1, fitting)
    dashboard = f"http://{url}" if url else None
    return Cluster(
        num_workers=fitting if resources.workers is None else min(resources.workers, fitting),
        threads=_threads(int(resources.cpus_per_trial)),
        find_dashboard=None if dashboard is None else lambda: dashboard,
        token_path=None,
        scratch=folder / "tune",
        ray_cluster=room.cluster_id(),
        nodes=tuple(nodes),
        node_check=None if asked is None else NodeCheck(asked),
    )


def _bundle(resources: Resources, gpus: float | None = None) -> Bundle:
    return Bundle(cpus=resources.cpus_per_trial, gpus=resources.gpus_per_trial if gpus is None else gpus)


def _gpu_share(nodes: list[NodeRoom], resources: Resources) -> float | None:
    """Return the part of a GPU for each trial on a machine with several, so that all are used; None elsewhere.

    Trials that ask for no GPU all see the first one: with one GPU that is what is wanted.
    """
    gpus = int(sum(node.gpus for node in nodes))
    if resources.gpus_per_trial or gpus < 2:
        return None
    num_workers = resources.workers or room.fitting(nodes, _bundle(resources))
    # Rounded down to what Ray counts in, so that as many fit on each GPU as must.
    return int(10_000 / -(-max(1, num_workers) // gpus)) / 10_000


def _not_started(resources: Resources, error: Exception) -> StudiesError:
    if resources.address is not None:
        return not_joined(resources.address, error)
    return NotStartedError(error)


def _num_cpus(resources: Resources) -> int:
    """Return the number of CPUs that Ray offers: the machine's cores, or what the requested workers take if more."""
    wanted = (resources.workers or 0) * resources.cpus_per_trial
    return max(num_cores(), int(wanted + 0.999))


def _threads(share: int) -> int:
    """Return the threads of a worker: its share of the cores, at most OMP_NUM_THREADS where that is set."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(share, int(limit)) if limit.isdecimal() else share)


def _shut_down(folder: Path) -> None:
    """Shut Ray down if it runs; kill the processes in `folder` if the shutdown hangs."""
    ray = sys.modules.get("ray")
    if ray is None or not hasattr(ray, "is_initialized") or not ray.is_initialized():
        return
    under_way = [thread for thread in threading.enumerate() if thread.name == SHUT_DOWN]
    thread = under_way[0] if under_way else threading.Thread(target=_leave_ray, name=SHUT_DOWN, daemon=True)
    if not under_way:
        thread.start()
        thread.join(SECONDS_TO_SHUT_DOWN)
    if thread.is_alive():
        end_processes(folder, patience_seconds=0.0)
        thread.join(SECONDS_TO_SHUT_DOWN)
    if thread.is_alive():
        atexit.unregister(ray.shutdown)  # it would wait for the thread that hangs


def _leave_ray() -> None:
    # Imported here, because it brings Ray.
    from studies.cluster.leaving_ray import leave_ray

    leave_ray()
