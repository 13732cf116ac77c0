"""A stack of plain torch modules, trained replicate by replicate: for networks that have no stacked form."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords
from trainables.base.seeds import seed_for_libraries
from trainables.data.stack_data import StackData
from trainables.gradients.hidden_layers import HiddenLayer, layers_of
from trainables.gradients.hidden_signals import HiddenSignals
from trainables.networks.parameters import FlatParameters
from trainables.networks.stack_model import StackModel

BuildModule: TypeAlias = Callable[[Hyperparameters, tuple[int, ...], int], nn.Module]
"""`build(hyperparameters, input_shape, num_classes)` returns a module from (examples, *input_shape) to logits
(examples, classes)."""


NUM_SAMPLES = 4
"""Number of examples in the pass that finds a module's hidden layers; batch norm needs two."""


MAX_EVALUATED = 1000
"""Most examples that a module evaluates at a time: its internal tensors may be many times as large as the inputs."""


def stack_modules(
    build: BuildModule,
    hyperparameters: Hyperparameters,
    data: StackData,
    *,
    init_seeds: Sequence[int],
    words: RandomWords,
) -> "ModuleStack":
    """Build one module for each seed and arrange them as a stack, on the device and in the precision of the data.

    One more module, which is discarded, is run over a few examples in training mode to find the hidden layers. The
    global random generators are seeded while `build` runs; torch's are restored afterwards. Raises ValueError if the
    modules cannot form a stack.
    """
    one = data.part(range(1))
    sample = one.gather(one.train[:, :NUM_SAMPLES])[0]
    device, dtype = sample.device, sample.dtype

    def built(seed: int) -> nn.Module:
        with forked(device):
            seed_globals(seed, device)
            module = build(hyperparameters, data.input_shape, data.num_classes)
        return module.to(device=device, dtype=dtype)

    with forked(device):
        seed_globals(init_seeds[0], device)
        layers = layers_of(built(init_seeds[0]), [sample.view(-1, *data.input_shape)], len(sample))
    modules = [built(seed) for seed in init_seeds]
    hidden = HiddenSignals(layers, sample, replicates=len(modules))
    return ModuleStack(
        modules,
        flatten_parameters(modules, hidden.layers, sample),
        hidden,
        words,
        input_shape=data.input_shape,
        num_classes=data.num_classes,
        is_mixed=hyperparameters.precision == "bfloat16",
    )


def forked(device: torch.device) -> AbstractContextManager[None]:
    """Return a context that restores torch's global generators afterwards."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


def seed_globals(seed: int, device: torch.device) -> None:
    """Seed the global generators: Python's, NumPy's, and torch's of host and device.

    Not with `torch.manual_seed`, which seeds all devices and takes 0.3 ms.
    """
    random.seed(seed)
    np.random.seed(seed_for_libraries(seed))
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


class ModuleStack(StackModel):
    """Plain modules side by side. Each replicate gets the numbers that it would get alone.

    Random modules such as nn.Dropout draw from the global generators, which are seeded for each replicate and pass: so
    the numbers depend neither on how the stack is divided nor on other code. Torch's generators are then restored;
    Python's and NumPy's, which is slower, by the caller (`generators_kept`).
    """

    is_capturable = False

    def __init__(
        self,
        modules: Sequence[nn.Module],
        parameters: FlatParameters,
        hidden: HiddenSignals,
        words: RandomWords,
        *,
        input_shape: tuple[int, ...],
        num_classes: int,
        is_mixed: bool,
    ) -> None:
        """Train `modules`, whose trained parameters are views of `parameters`."""
        self.parameters, self._modules, self._hidden, self._words = parameters, modules, hidden, words
        self._input_shape, self._num_classes, self._is_mixed = input_shape, num_classes, is_mixed
        self.outputs, self.responses, self.deltas = hidden.outputs, hidden.responses, hidden.deltas
        self.saturates, self.responses_are_unipolar = hidden.saturates, hidden.responses_are_unipolar
        self._logits: list[Tensor] = []
        self._kept: dict[str, Tensor] = {}
        self._stacked = {
            name: torch.stack(same)
            for name, same in _side_by_side([dict(m.named_buffers()) for m in modules])
        }
        for replicate, module in enumerate(modules):
            self._put_buffers(replicate)
            hidden.listen(module, replicate)

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return logits (replicates, classes, examples) for inputs (replicates, examples, features)."""
        self._hidden.is_on = training and self.is_measured
        if self._hidden.is_on:
            self._hidden.begin_pass(inputs.shape[1])
        shaped = inputs.view(*inputs.shape[:2], *self._input_shape)
        logits = []
        with forked(inputs.device), torch.set_grad_enabled(training), self._precision(inputs.device):
            for module, own, seed in zip(
                self._modules, shaped, self._words.draw_seeds(len(shaped)), strict=True
            ):
                seed_globals(seed, inputs.device)
                if module.training != training:
                    module.train(training)
                logits.append(self._checked(_logits(module, own, training=training), own))
        if self._hidden.is_on:
            self._hidden.end_pass()
            self.outputs = self._hidden.outputs
        self._logits = logits if training else []
        return torch.stack([each.detach() for each in logits]).to(inputs.dtype).transpose(1, 2)

    def _checked(self, logits: object, inputs: Tensor) -> Tensor:
        wanted = len(inputs), self._num_classes
        if isinstance(logits, Tensor) and logits.shape == wanted and logits.is_floating_point():
            return logits
        got = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise ValueError(
            f"the network must return logits (examples, classes), {wanted} for inputs {tuple(inputs.shape)}; got {got}"
        )

    def _precision(self, device: torch.device) -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=self._is_mixed)

    def backward(self, gradient: Tensor) -> None:
        """Store every parameter's gradient by autograd; it is 0 where the loss does not depend on a parameter."""
        self.parameters.gradients.zero_()
        for logits, own in zip(self._logits, gradient, strict=True):
            torch.autograd.backward(logits, own.t().to(logits.dtype))
        self._logits = []

    def track_statistics(self, tracking: bool) -> None:
        """Allow or prevent changes of buffers in training mode; with True, changes since False are undone."""
        buffers = self.buffers()
        if tracking:
            for name, tensor in self._kept.items():
                buffers[name].copy_(tensor)
        self._kept = {} if tracking else {name: tensor.clone() for name, tensor in buffers.items()}

    def buffers(self) -> dict[str, Tensor]:
        """Return the modules' buffers by their own names, stacked over replicates."""
        for replicate, module in enumerate(self._modules):
            own = dict(module.named_buffers())
            for name, stacked in self._stacked.items():
                if (
                    own[name].data_ptr() != stacked[replicate].data_ptr()
                ):  # it was assigned, not changed in place
                    stacked[replicate].copy_(own[name])
            self._put_buffers(replicate)
        return dict(self._stacked)

    def _put_buffers(self, replicate: int) -> None:
        """Make a module's buffers views of the stacked ones."""
        module = self._modules[replicate]
        views = {
            id(buffer): self._stacked[name][replicate]
            for name, buffer in module.named_buffers()
            if buffer.data_ptr() != self._stacked[name][replicate].data_ptr()
        }
        if views:
            for child in module.modules():
                for name, buffer in child.named_buffers(recurse=False):
                    if id(buffer) in views:
                        setattr(child, name, views[id(buffer)])

    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return one replicate's weights and persistent buffers under the module's own names."""
        state: Mapping[str, Tensor] = self._modules[replicate].state_dict()
        return {name: tensor.detach().clone() for name, tensor in state.items()}


def _logits(module: nn.Module, inputs: Tensor, *, training: bool) -> Tensor:
    if training or len(inputs) <= MAX_EVALUATED:
        made: Tensor = module(inputs)
        return made
    return torch.cat([module(part) for part in torch.split(inputs, MAX_EVALUATED)])


def _side_by_side(each: Sequence[Mapping[str, Tensor]]) -> list[tuple[str, list[Tensor]]]:
    """Return for each name the tensors of that name of all mappings."""
    return [(name, [one[name] for one in each]) for name in each[0]]


def flatten_parameters(
    modules: Sequence[nn.Module], layers: Sequence[HiddenLayer], like: Tensor
) -> FlatParameters:
    """Return the trained parameters of all modules in one object; the modules' own become views of it.

    Those of each hidden layer are contiguous. Raises ValueError unless all modules have the same parameters.
    """
    shapes = _shapes(modules)
    hidden_names = {name for layer in layers for name in layer.weights}
    flat = FlatParameters(
        {layer.name: (sum(math.prod(shapes[name]) for name in layer.weights),) for layer in layers},
        {name: shape for name, shape in shapes.items() if name not in hidden_names},
        replicates=len(modules),
        device=like.device,
        dtype=like.dtype,
    )
    places = {layer.name: layer.weights for layer in layers}
    places |= {name: (name,) for name in shapes if name not in hidden_names}
    for replicate, module in enumerate(modules):
        own = dict(module.named_parameters())
        for place, names in places.items():
            _make_views(
                [own[name] for name in names], flat.value(place)[replicate], flat.gradient(place)[replicate]
            )
    return flat


def _make_views(parameters: Sequence[nn.Parameter], values: Tensor, gradients: Tensor) -> None:
    """Move parameters into `values`, one after the other, and their gradients into `gradients`."""
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        view = values.reshape(-1)[start:end].view(parameter.shape)
        parameter.data = view.copy_(parameter.data)
        parameter.grad = gradients.reshape(-1)[start:end].view(parameter.shape)
        start = end


def _shapes(modules: Sequence[nn.Module]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the trained parameters by name; raise ValueError unless all modules have the same."""
    first, *others = [
        {name: tuple(p.shape) for name, p in module.named_parameters() if p.requires_grad}
        for module in modules
    ]
    if not first:
        raise ValueError("build() returned a module without parameters to train")
    for other in others:
        differing = sorted({*first.items()} ^ {*other.items()})
        if differing:
            raise ValueError(
                f"build() must return modules of one form, whatever the seed; parameter {differing[0][0]} differs"
            )
    return first
