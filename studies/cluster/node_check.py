"""Asks every node of a joined Ray cluster, before the first trial, whether it can train and what it reaches.

One short task a node, all at once, while the driver loads the data. Workers take no time from the clock that anything
is compared with, get their data from the driver through Ray and write no files: so a clock that is off, a missing
dataset or an output that a node does not reach keep nobody from training.
"""

import ast
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, final

from studies.base.errors import StudiesError
from studies.base.wording import counted, error_line, format_bytes
from studies.cluster.nodes import Node, listed_nodes
from studies.storage.paths import Locations
from trainables.user_code.code import UserCode

PACKAGES: Final = ("studies", "ray", "torch", "numpy", "scikit-learn", "numba")
DECISIVE: Final = ("studies", "ray", "torch")
"""Packages of which major and minor version must be the driver's on every node; of the others it is told."""
IMPORTS: Final = ("trainables", "numba")
"""What is imported to see whether it works. Torch takes seconds, which trials would spend again in other processes."""
NEEDED: Final = ("torch", "ray.tune", "trainables.trial", "safetensors", "pandas")
"""What must be there besides; a node without it cannot train."""
MAX_SECONDS: Final = 20.0
"""How long the first trial waits for the nodes' answers, at most, once everything else is ready."""
MAX_SECONDS_OFF: Final = 10.0
"""From how many seconds a clock counts as off."""
MIN_FREE_SHARE: Final = 0.05
"""Below this share of free space on the disk of its temporary files Ray hands a node no more work."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What each node is asked: modules of the user's code, and the output, of which `shown` is what a user gave."""

    modules: tuple[str, ...] = ()
    output: Mapping[str, Any] = field(default_factory=dict)
    shown: str = "the output"

    @classmethod
    def of(cls, code: UserCode | None, locations: Locations) -> "Asked":
        """Return what is asked for a study with this code, whose files go to the locations."""
        if locations.place is not None:
            output: dict[str, Any] = {"url": locations.place.url}
        else:
            existing = locations.output.absolute()
            while not existing.exists():
                existing = existing.parent
            output = {"path": str(existing), "inode": existing.stat().st_ino}
        shown = str(locations.output) if locations.place is None else locations.place.url
        return cls(modules=imported_modules(code), output=output, shown=shown)


def imported_modules(code: UserCode | None) -> tuple[str, ...]:
    """Return the top-level modules that a user's code imports when it is executed, but for what is sent with it.

    What it imports in a function or in a `try` may never be needed, and is left to the trial.
    """
    if code is None:
        return ()
    found: set[str] = set()
    for source in (code.file, *code.modules.values()):
        for node in ast.parse(source.text).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
                found.add(node.module.partition(".")[0])
    sent = {name.partition(".")[0] for name in code.modules}
    return tuple(sorted(found - sent - set(sys.stdlib_module_names)))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a node answered between two moments of the driver's clock, or the error instead."""

    asked_at: float
    answered_at: float
    found: Mapping[str, Any] | None = None
    error: str | None = None

    def seconds_off(self) -> float | None:
        """Return by how many seconds, at least, the node's clock is ahead, negative if behind; None if it may agree.

        The node read its clock twice while the driver waited: the true difference is at most what its first reading is
        ahead of the question, and at least what its last one is ahead of the answer.
        """
        if self.found is None:
            return None
        at_least, at_most = self.found["ended"] - self.answered_at, self.found["began"] - self.asked_at
        off = float(at_least if at_least > 0 else at_most)
        return off if at_least > MAX_SECONDS_OFF or at_most < -MAX_SECONDS_OFF else None


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the nodes answered, in words: `problems` keep a node from training, `notes` do not."""

    problems: Sequence[str]
    notes: Sequence[str]
    nodes: Sequence[Mapping[str, Any]]
    """For the record: host, address, Python, and versions of packages."""
    seconds: float
    """How long was waited for them at the end."""

    def refuse(self) -> None:
        """Raise StudiesError if a node cannot train."""
        if not self.problems:
            return
        several = "".join(f"\n- {each}" for each in self.problems)
        raise StudiesError(
            f"{counted(len(self.problems), 'node')} of the cluster cannot train, and nothing was trained:{several}",
            "Give every node the driver's environment (the same image, or the same pip install -c constraints.txt with "
            f"Python {platform.python_version()}), or take these nodes out of the cluster; then give the same command "
            "again.",
        )


@final
class NodeCheck:
    """The questions to the nodes, and their answers as they come, taken in by a thread."""

    def __init__(self, asked: Asked) -> None:
        """Ask every node that is alive; Ray has been joined. Never raises: what goes wrong is one of the notes."""
        self._asked = asked
        self._nodes: list[Node] = []
        self._answers: dict[str, Answer] = {}
        self._failure: str | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="node-check", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            self._nodes = alive_nodes()
            self._collect()
        except Exception as error:  # whatever Ray raises: trials show whether it works
            self._failure = f"{type(error).__name__}: {error_line(str(error))}"

    def _collect(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from studies.cluster import node_task

        asked = {
            "packages": list(PACKAGES),
            "imports": list(IMPORTS),
            "modules": [*NEEDED, *self._asked.modules],
            "output": dict(self._asked.output),
        }
        ray.cloudpickle.register_pickle_by_value(node_task)  # type: ignore[no-untyped-call]
        try:
            task = ray.remote(num_cpus=0, max_retries=0)(node_task.look)
            waiting: dict[Any, tuple[Node, float]] = {}
            for node in self._nodes:
                strategy = NodeAffinitySchedulingStrategy(node.node_id, soft=False)
                options = task.options(scheduling_strategy=strategy, name="check of the node")
                waiting[options.remote(asked)] = node, time.time()
        finally:
            ray.cloudpickle.unregister_pickle_by_value(node_task)  # type: ignore[no-untyped-call]
        while waiting and not self._over.is_set():
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=0.2)
            for reference in ready:
                now = time.time()
                node, asked_at = waiting.pop(reference)
                self._answers[node.node_id] = _answer(reference, asked_at, now)
        for reference in waiting:
            ray.cancel(reference, force=True)

    def findings(
        self, *, max_seconds: float = MAX_SECONDS, should_stop: Callable[[], bool] = lambda: False
    ) -> Findings:
        """Return the findings once every node has answered, after `max_seconds`, or as soon as `should_stop`."""
        began = time.monotonic()
        while self._thread.is_alive() and not should_stop() and time.monotonic() - began < max_seconds:
            self._thread.join(0.05)
        self._over.set()
        return describe(
            self._nodes,
            dict(self._answers),
            self._asked,
            failure=self._failure,
            seconds=time.monotonic() - began,
        )


def _answer(reference: Any, asked_at: float, now: float) -> Answer:
    import ray

    try:
        return Answer(asked_at=asked_at, answered_at=now, found=ray.get(reference))
    except Exception as error:  # the node is lost, or its Python cannot read what was sent
        words = str(getattr(error, "cause", None) or error).strip().splitlines() or [type(error).__name__]
        return Answer(asked_at=asked_at, answered_at=now, error=f"{type(error).__name__}: {words[-1][:300]}")


def alive_nodes() -> list[Node]:
    """Return the nodes of the cluster that has been joined."""
    return [Node.of(listed) for listed in listed_nodes() if listed["Alive"]]


def describe(
    nodes: Sequence[Node],
    answers: Mapping[str, Answer],
    asked: Asked,
    *,
    failure: str | None = None,
    seconds: float = 0.0,
) -> Findings:
    """Return in words what the nodes have answered."""
    problems: list[str] = []
    notes = [] if failure is None else [f"the nodes could not be asked: {failure}"]
    unreached: dict[str, list[str]] = {}
    for node in nodes:
        answer = answers.get(node.node_id)
        if answer is None:
            notes.append(f"{node} has not answered in time and was not checked: a busy node does that")
            continue
        if answer.found is None:
            notes.append(
                f"{node} could not be checked: {answer.error}; if trials are lost there, see its disk (df -h "
                "/tmp/ray), its memory (free -g) and Ray's logs"
            )
            continue
        wrong = "; ".join(_problems(answer.found))
        if wrong:
            (problems if node.trains else notes).append(f"{node}: {wrong}")
        notes += [f"{node}: {each}" for each in _notes(answer)]
        if answer.found["output_error"] is not None:
            unreached.setdefault(answer.found["output_error"], []).append(str(node))
    notes += [
        f"{asked.shown} cannot be written from {' and '.join(names)} ({why}): nothing is lost by that while the driver "
        "stays here, but a driver that takes over there would start unfinished trials anew"
        for why, names in unreached.items()
    ]
    return Findings(problems=problems, notes=notes, nodes=list(_record(nodes, answers)), seconds=seconds)


def _problems(found: Mapping[str, Any]) -> Iterable[str]:
    if _minor(found["python"]) != _minor(platform.python_version()):
        yield f"it has Python {found['python']}, the driver {platform.python_version()}"
    for package in DECISIVE:
        here, there = _version(package), found["versions"].get(package)
        if here is not None and there is not None and _minor(here) != _minor(there):
            yield f"it has {package} {there}, the driver {here}"
    if found["import_error"] is not None:
        yield f"{found['import_error']}; install it there"
    needed = [name for name in found["missing"] if name in NEEDED]
    if needed:
        yield f"{', '.join(needed)} cannot be found there; install what the driver has"
    others = [name for name in found["missing"] if name not in NEEDED]
    if others:
        yield f"the study's code imports {', '.join(others)}, not installed there"


def _notes(answer: Answer) -> Iterable[str]:
    found = answer.found
    assert found is not None
    temporary = found["temporary"]
    if temporary["error"] is not None:
        yield (
            f"nothing can be written in Ray's folder {temporary['folder']} ({temporary['error']}): make room there, or "
            "its trials may be lost"
        )
    elif temporary["total"] and temporary["free"] < MIN_FREE_SHARE * temporary["total"]:
        yield (
            f"the disk of Ray's folder {temporary['folder']} is nearly full ({format_bytes(temporary['free'])} free): "
            "make room there, or Ray gives it no more work"
        )
    off = answer.seconds_off()
    if off is not None:
        yield (
            f"its clock is at least {abs(off):,.0f} s {'ahead' if off > 0 else 'behind'}: every recorded time is the "
            "driver's, so nothing changes, but its logs will mislead (set it, as by chrony)"
        )
    for package in PACKAGES:
        here, there = _version(package), found["versions"].get(package)
        is_decisive = package in DECISIVE and _minor(here or "") != _minor(there or "")
        if here is not None and there is not None and here != there and not is_decisive:
            yield f"it has {package} {there}, the driver {here}: the last digits of results may differ"


def _record(nodes: Sequence[Node], answers: Mapping[str, Answer]) -> Iterable[dict[str, Any]]:
    for node in nodes:
        answer = answers.get(node.node_id)
        found = None if answer is None else answer.found
        record: dict[str, Any] = {"host": node.host, "address": node.address, "node": node.node_id}
        yield record if found is None else record | {"python": found["python"], "versions": found["versions"]}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _minor(text: str) -> str:
    """Return major and minor version.

    >>> _minor("2.13.0+cpu"), _minor("3.11.4")
    ('2.13', '3.11')
    """
    return ".".join(text.split(".")[:2])
