"""The Tune trainable; the only file of this package that imports Ray.

torch is imported in functions: the driver, which names the class to Tune, takes seconds less to start without it.
"""

import functools
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import ray
from ray import tune
from ray.exceptions import RayError
from ray.util.placement_group import get_current_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from trainables.base.errors import TrainableError
from trainables.base.records import TrialReport
from trainables.base.safe_path import forget_safe_path
from trainables.data.dataset import Dataset
from trainables.data.splits import Splits
from trainables.trials.trial_log import DETAILS, TITLE, TrialLog
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.code import OWN, UserCode
from trainables.user_code.exits import is_rays, traceback_words

if TYPE_CHECKING:
    from trainables.data.stack_data import StackData
    from trainables.trials.checkpoint import CheckpointRef
    from trainables.trials.spread_trial import ReplicateShard, ShardEpoch

T = TypeVar("T")


class StackTrial(tune.Trainable):
    """Trains one trial after the other in the same worker; each step lasts until the next report.

    If Tune gives a trial several bundles, helpers in the others each train a share of its replicates.
    """

    def setup(  # type: ignore[override]  # with_parameters adds the keywords
        self,
        config: dict[str, Any],
        *,
        dataset: Dataset,
        splits: Splits,
        threads: int,
        code: UserCode | None = None,
    ) -> None:
        """Prepare the worker once: threads, device, data, and the code of the user's own networks."""
        import torch

        from trainables.base.torch_compiler import leave_out_compiler
        from trainables.networks.memory import MemoryLimits
        from trainables.training.kernel_cache import make_ready

        forget_safe_path()
        leave_out_compiler()
        # Lightning in a user's own loop must not fork a process that has Ray's threads.
        os.environ.setdefault("PL_DISABLE_FORK", "1")
        torch.set_num_threads(threads)
        # Vanishing gradients become subnormal numbers, with which a CPU is many times slower.
        torch.set_flush_denormal(True)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._dataset, self._splits, self._code = dataset, splits, code
        self._limits = MemoryLimits()
        if self._device.type == "cpu":
            make_ready(config["trial_spec"].model)
        self._data: dict[tuple[float | None, tuple[int, ...]], StackData] = {}
        self._helpers: tuple[RemoteHelper, ...] | None = None
        self._log = TrialLog()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next assignment; nothing of the one before is kept but the data and what fits."""
        self._trial_spec: TrialSpec = new_config["trial_spec"]
        self._titles = {key: new_config[key] for key in (TITLE, DETAILS) if key in new_config}
        self._log.take_up(self._titles)
        self._checkpoint_ref: CheckpointRef | None = new_config.get("checkpoint")
        self._reports: Iterator[TrialReport] | None = None
        self._epoch = 0
        self._num_workers: int = new_config.get("workers", 1)
        self._num_stacks: int = new_config.get("stacks", 1)
        return True

    def step(self) -> dict[str, Any]:
        """Train to the next report. An error of the trial's own becomes its last report, not a lost worker.

        So does what would end the process, such as SystemExit in a user's code. A lost helper counts as a lost worker:
        Ray's error about it is raised.
        """
        try:
            if self._reports is None:
                self._reports = self._begin()
            report = next(self._reports)
        except HelperLostError as error:
            raise error.said from None
        except HelperError as error:
            report = self._failure(error.words)
        except BaseException as error:
            if is_rays(error):
                raise
            report = self._failure(traceback_words(error, self._code))
        self._epoch = report.epoch
        done = report.error is not None or report.epoch >= self._trial_spec.epochs
        self._log.report(report.epoch, done=done, error=report.error)
        return {"objective": report.objective, "epoch": report.epoch, "report": report, "done": done}

    def cleanup(self) -> None:
        """Say in the log what became of the last trial; Tune calls this before the worker ends."""
        self._log.close()

    def _failure(self, error: str) -> TrialReport:
        from trainables.trials.reporting import failed_report

        return failed_report(self._trial_spec, worker=self._worker, epoch=self._epoch, error=error)

    def _begin(self) -> Iterator[TrialReport]:
        from trainables.trials.reporting import train_trial_spec

        checkpoint_ref, self._checkpoint_ref = self._checkpoint_ref, None
        checkpoint = None if checkpoint_ref is None else checkpoint_ref.data
        self._log.begin(0 if checkpoint_ref is None else checkpoint_ref.epoch)
        return train_trial_spec(
            self._trial_spec,
            self._stack_data(self._trial_spec),
            worker=self._worker,
            checkpoint=checkpoint,
            helpers=self._find_helpers() if self._num_workers > 1 else (),
            **self._means(self._trial_spec),
        )

    def begin_share(
        self,
        trial_spec: TrialSpec,
        checkpoint: bytes | None,
        part: range,
        num_stacks: int,
        titles: dict[str, str],
    ) -> "ReplicateShard":
        """Start training some replicates of a trial that another worker reports on."""
        from trainables.trials.reporting import trainer_of
        from trainables.trials.spread_trial import ReplicateShard

        self._log.take_up(titles)
        self._log.help(part)
        self._num_stacks = num_stacks
        data = self._stack_data(trial_spec)
        return ReplicateShard(
            trainer_of(trial_spec, data, checkpoint=checkpoint, part=part, **self._means(trial_spec))
        )

    def _means(self, trial_spec: TrialSpec) -> dict[str, Any]:
        """Return what the trial is trained with besides its data."""
        code = self._code if trial_spec.model == OWN else None
        most = -(-len(trial_spec.seeds) // self._num_stacks)
        return {
            "limits": self._limits if self._num_stacks == 1 else self._limits.at_most(most),
            "build": None if code is None else code.build,
            "loop": None if code is None else code.loop,
        }

    def _find_helpers(self) -> "tuple[RemoteHelper, ...]":
        """Return a helper for each bundle but the first; they live as long as this worker, for all its trials."""
        if self._helpers is None:
            config = {"trial_spec": self._trial_spec, **self._titles}
            self._helpers = tuple(
                RemoteHelper(type(self), config, bundle) for bundle in range(1, self._num_workers)
            )
        for helper in self._helpers:
            helper.num_stacks, helper.titles = self._num_stacks, self._titles
        return self._helpers

    def _stack_data(self, trial_spec: TrialSpec) -> "StackData":
        from trainables.data.stack_data import StackData

        size, blocks = trial_spec.hyperparameters.train_size, trial_spec.blocks
        if (size, blocks) not in self._data:
            splits = [self._splits[size, block] for block in blocks]
            self._data[size, blocks] = StackData.make(self._dataset, splits, self._device)
        return self._data[size, blocks]


class HelperError(TrainableError, RuntimeError):
    """A helper raised an error of the trial's own; `words` is its traceback."""

    def __init__(self, words: str) -> None:
        """Store `words`."""
        super().__init__(words)
        self.words = words


class HelperLostError(TrainableError, RuntimeError):
    """A helper was lost; `said` is Ray's error about it."""

    def __init__(self, said: RayError) -> None:
        """Store `said`."""
        super().__init__(str(said))
        self.said = said


@dataclass(frozen=True)
class _Failed:
    """A helper's answer if the trial's own code failed there."""

    words: str


class _HelperActor:
    """The actor in a helper's process: the same trainable, which trains shares of trials only."""

    def __init__(self, trainable: type[StackTrial], config: dict[str, Any]) -> None:
        self._trial = object.__new__(trainable)  # Tune's own constructor wants a session
        self._trial.setup(config)  # type: ignore[call-arg]  # with_parameters adds the keywords
        self._share: ReplicateShard | None = None

    def name(self) -> str:
        return self._trial._worker

    def begin(
        self,
        trial_spec: TrialSpec,
        checkpoint: bytes | None,
        part: range,
        num_stacks: int,
        titles: dict[str, str],
    ) -> _Failed | None:
        def start() -> None:
            self._share = self._trial.begin_share(trial_spec, checkpoint, part, num_stacks, titles)

        self._share = None
        return self._tried(start)

    def train_epoch(self) -> "ShardEpoch | _Failed":
        return self._tried(self._begun().train_epoch)

    def state(self) -> object:
        return self._tried(self._begun().state)

    def _tried(self, action: Callable[[], T]) -> T | _Failed:
        try:
            return action()
        except BaseException as error:
            if is_rays(error):
                raise
            return _Failed(traceback_words(error, self._trial._code))

    def _begun(self) -> "ReplicateShard":
        assert self._share is not None, "asked before it was told what to train"
        return self._share


class RemoteHelper:
    """A helper in a bundle of the placement group that Tune gave to this trial; it ends with this worker."""

    num_stacks = 1
    """Into how many stacks its share is split at first."""
    titles: Mapping[str, str] = MappingProxyType({})
    """What its log, and Ray's dashboard, call the trial."""

    def __init__(self, trainable: type[StackTrial], config: dict[str, Any], bundle: int) -> None:
        """Start the helper, without waiting for it."""
        group = get_current_placement_group()
        assert group is not None, "Tune runs its trials in placement groups"
        takes = group.bundle_specs[bundle]
        # Named like the study's own workers in Ray's dashboard.
        helping: Any = type(f"{trainable.__name__}_helper", (_HelperActor,), {})
        actor: Any = ray.remote(helping).options(
            num_cpus=takes.get("CPU", 0),
            num_gpus=takes.get("GPU", 0),
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, bundle),
        )
        self._actor: Any = actor.remote(trainable, config)

    @functools.cached_property
    def name(self) -> str:
        """Its host and process."""
        found: str = _get(self._actor.name.remote())
        return found

    def begin(self, trial_spec: TrialSpec, *, checkpoint: bytes | None, part: range) -> None:
        """Start training the replicates `part`; errors are raised at the first epoch."""
        self._begun = self._named("begin", "begin to help").remote(
            trial_spec, checkpoint, part, self.num_stacks, dict(self.titles)
        )

    def train_epoch(self) -> "Callable[[], ShardEpoch]":
        """Start training an epoch; return a function that waits for its result."""
        return self._answer(self._named("train_epoch", "help with an epoch").remote())

    def state(self) -> Callable[[], Any]:
        """Ask for the state of its share; return a function that waits for it."""
        return self._answer(self._named("state", "hand over a helper's state").remote())

    def _named(self, method: str, what: str) -> Any:
        """Return a method of the actor with the name that Ray shows of its calls."""
        title = self.titles.get(TITLE)
        found = getattr(self._actor, method)
        return found if title is None else found.options(name=f"{title}: {what}")

    def _answer(self, asked: Any) -> Callable[[], Any]:
        def wait() -> Any:
            for reference in (self._begun, asked):
                answer = _get(reference)
                if isinstance(answer, _Failed):
                    raise HelperError(answer.words)
            return answer

        return wait


def _get(reference: Any) -> Any:
    """Wait for a helper's answer; raise HelperLostError if Ray fails, which distinguishes it from other errors."""
    try:
        return ray.get(reference)
    except RayError as error:
        raise HelperLostError(error) from error
