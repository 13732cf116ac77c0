"""Measures gradients in a user's own training loop: `watch(model, optimizer)` observes a network's hidden layers."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from trainables.gradients.hidden_layers import find_hidden_layers, tensors, watching_runs
from trainables.gradients.hidden_signals import HiddenSignals
from trainables.gradients.measured_epoch import ReplicateMeasures
from trainables.user_code.watched_epoch import WatchedEpoch


def watch(model: nn.Module, optimizer: torch.optim.Optimizer, *, clip_norm: float | None = None) -> "Watch":
    """Watch `model` in a loop that calls it in training mode, goes backward and makes steps with `optimizer`.

    `end_epoch` returns the records of its hidden layers since the last call; after backward passes without a step,
    those of the initialisation. Nothing that the loop computes changes. The first tensor that `model` is called with
    must have the examples on its first axis. `clip_norm` is the norm that the loop clips to, if any: gradients are
    measured before. If a step consists of several backward passes, signals are those of the last one.

    >>> import torch
    >>> from torch import nn
    >>> from trainables.watch import watch
    >>> network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    >>> with watch(network, optimizer) as watched:
    ...     for epoch in range(2):
    ...         network(torch.ones(4, 2)).sum().backward()
    ...         optimizer.step()
    ...         measures = watched.end_epoch()
    >>> [layer.layer for layer in measures.layers], measures.metrics["num_nonfinite"]
    ([1], 0.0)
    """
    return Watch(model, optimizer, clip_norm=clip_norm)


class Watch:
    """Hooks on one network and its optimizer, which are removed when the context ends."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, *, clip_norm: float | None
    ) -> None:
        """Install the hooks."""
        self._model, self._clip_norm = model, clip_norm
        self._hidden: HiddenSignals | None = None
        self._epoch: WatchedEpoch | None = None
        self._finding = ExitStack()
        self._is_updating = False
        self._handles = [
            model.register_forward_pre_hook(self._before_pass, with_kwargs=True),
            model.register_forward_hook(self._after_pass),
            optimizer.register_step_pre_hook(self._before_update),
            optimizer.register_step_post_hook(self._after_update),
            *(
                parameter.register_post_accumulate_grad_hook(self._after_gradient)  # type: ignore[no-untyped-call]
                for parameter in model.parameters()
                if parameter.requires_grad
            ),
        ]

    def __enter__(self) -> Self:
        """Return the watch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()

    def end_epoch(self) -> ReplicateMeasures:
        """Return the records of the hidden layers and the whole gradient's metrics since the last call.

        Raises ValueError if there was no backward pass in training mode.
        """
        epoch = self._epoch
        if epoch is not None and epoch.is_pending:
            epoch.note_step()
            epoch.note_weights()
        if epoch is None or epoch.num_steps == 0:
            raise ValueError("end_epoch(): no backward pass in training mode since watch() or the last epoch")
        measures = epoch.end(clip_norm=self._clip_norm)
        assert self._hidden is not None
        self._epoch = WatchedEpoch(epoch.parts, self._hidden, after=epoch)
        return measures

    def _before_pass(self, model: nn.Module, args: Any, kwargs: Any) -> None:
        if not (model.training and torch.is_grad_enabled()):
            return
        self._num_examples = len(next(tensors((args, kwargs))))
        if self._hidden is None:
            self._finding.close()
            self._runs = self._finding.enter_context(watching_runs(model))
        else:
            self._hidden.begin_pass(self._num_examples)
            self._hidden.is_on = True

    def _after_pass(self, model: nn.Module, _: Any, __: Any) -> None:
        if not (model.training and torch.is_grad_enabled()):
            return
        self._finding.close()
        if self._hidden is None:
            self._hidden = self._find_layers(model)
        self._hidden.end_pass()
        self._hidden.is_on = False

    def _find_layers(self, model: nn.Module) -> HiddenSignals:
        """Find the hidden layers from the first pass, and record its signals."""
        layers = find_hidden_layers(model, self._runs, self._num_examples)
        own = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        hidden = HiddenSignals(layers, next(iter(own.values())).detach(), replicates=1)
        hidden.begin_pass(self._num_examples)
        for layer in layers:
            hidden.update(0, layer, self._runs[layer.reader].given)
        self._handles += hidden.listen(model, 0)
        self._runs = {}
        parts = [[own.pop(name) for name in layer.weights] for layer in layers]
        self._epoch = WatchedEpoch([*parts, [*own.values()]], hidden)
        return hidden

    def _after_gradient(self, parameter: Tensor) -> None:
        if self._epoch is not None:
            assert isinstance(parameter, nn.Parameter)
            self._epoch.note_gradient(parameter)

    def _before_update(self, *_: Any) -> None:
        if self._epoch is not None and self._epoch.is_pending:
            self._epoch.note_step()
            self._is_updating = True

    def _after_update(self, *_: Any) -> None:
        if self._is_updating and self._epoch is not None:
            self._epoch.note_update()
        self._is_updating = False
