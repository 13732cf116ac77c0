"""All parameters of a stack in one flat tensor, so that a standard optimizer updates them in one call."""

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class FlatParameters:
    """Named parameters of a stack of replicates, each of shape (replicates, ...), and their gradients.

    `values` and `gradients` are flat; `value(name)` and `gradient(name)` are views of them. First come the hidden
    layers' weights, one after the other, then for each replicate the rest: so norms for every hidden layer and
    replicate, or for every replicate, take few operations. `gradient_runs` are views of the gradient by such parts: the
    hidden layers' weights as in `weight_runs`, and a last one for the rest.
    """

    def __init__(
        self,
        weights: Mapping[str, tuple[int, ...]],
        rest: Mapping[str, tuple[int, ...]],
        *,
        replicates: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Allocate parameters of the given shapes (without the axis of replicates), all zero.

        `weights` are those of the hidden layers, in order from the input on; `rest` is everything else.
        """
        self.replicates = replicates
        self.names = (*weights, *rest)
        self.weight_sizes = tuple(math.prod(shape) for shape in weights.values())
        self._rest_sizes = {name: math.prod(shape) for name, shape in rest.items()}
        self.num_rest = sum(self._rest_sizes.values())
        total = replicates * (sum(self.weight_sizes) + self.num_rest)
        self.values = torch.zeros(total, device=device, dtype=dtype)
        self.gradients = torch.zeros_like(self.values)
        self._values = self._views(self.values, weights, rest)
        self._gradients = self._views(self.gradients, weights, rest)
        self.gradient_runs = self.runs(self.gradients)

    def value(self, name: str) -> Tensor:
        """Return the parameter, shape (replicates, ...), as a view."""
        return self._values[name]

    def gradient(self, name: str) -> Tensor:
        """Return the parameter's gradient, shape (replicates, ...), as a view."""
        return self._gradients[name]

    def places_in_rest(self) -> dict[str, int]:
        """Return where each parameter that is no hidden weight begins among a replicate's `num_rest` others."""
        ends = itertools.accumulate(self._rest_sizes.values(), initial=0)
        return dict(zip(self._rest_sizes, ends, strict=False))

    def weight_runs(self, flat: Tensor) -> list[Tensor]:
        """Return views of the hidden weights in `flat`, which is laid out as `values`: one for each run of equal sizes.

        A view has shape (layers, replicates, weights of a layer); together they are all hidden layers, in order.
        """
        runs, start = [], 0
        for size, equal in itertools.groupby(self.weight_sizes):
            count = len(list(equal))
            end = start + count * self.replicates * size
            runs.append(flat[start:end].view(count, self.replicates, size))
            start = end
        return runs

    def runs(self, flat: Tensor) -> list[Tensor]:
        """Return views of all of `flat`, which is laid out as `values`, shapes (parts, replicates, values of a part):
        the hidden weights in runs of equal sizes, then the rest.
        """
        return [*self.weight_runs(flat), self._rest(flat).unsqueeze(0)]

    def gradient_norms(self) -> Tensor:
        """Return the norm of each replicate's whole gradient, shape (replicates,)."""
        by_part = torch.cat([torch.linalg.vector_norm(run, dim=2) for run in self.gradient_runs])
        norms: Tensor = torch.linalg.vector_norm(by_part, dim=0)
        return norms

    def clip_gradients(self, max_norm: float) -> None:
        """Scale each replicate's gradient down to `max_norm`, as torch.nn.utils.clip_grad_norm_ does for one."""
        scale = (max_norm / (self.gradient_norms() + 1e-6)).clamp(max=1.0)
        for run in self.gradient_runs:
            run.mul_(scale.view(1, -1, 1))

    def _rest(self, flat: Tensor) -> Tensor:
        return flat[self.replicates * sum(self.weight_sizes) :].view(self.replicates, -1)

    def _views(
        self,
        flat: Tensor,
        weights: Mapping[str, tuple[int, ...]],
        rest: Mapping[str, tuple[int, ...]],
    ) -> dict[str, Tensor]:
        views = {}
        layers = itertools.chain.from_iterable(run.unbind() for run in self.weight_runs(flat))
        for (name, shape), layer in zip(weights.items(), layers, strict=True):
            views[name] = layer.view(self.replicates, *shape)
        sizes = [math.prod(shape) for shape in rest.values()]
        for (name, shape), part in zip(
            rest.items(), torch.split(self._rest(flat), sizes, dim=1), strict=True
        ):
            views[name] = part.view(self.replicates, *shape)
        return views


def take_replicates(flat: Tensor, weight_sizes: Sequence[int], count: int, replicates: range) -> Tensor:
    """Return the share of some replicates of a flat tensor for `count` replicates, laid out as in FlatParameters."""
    cut = slice(replicates.start, replicates.stop)
    return torch.cat([part[:, cut].reshape(-1) for part in _parts(flat, weight_sizes, count)])


def join_replicates(flats: Sequence[Tensor], weight_sizes: Sequence[int], counts: Sequence[int]) -> Tensor:
    """Return the flat tensor of a whole stack, joined from those of its parts with `counts` replicates."""
    parts = [_parts(flat, weight_sizes, count) for flat, count in zip(flats, counts, strict=True)]
    return torch.cat([torch.cat(same, dim=1).reshape(-1) for same in zip(*parts, strict=True)])


def _parts(flat: Tensor, weight_sizes: Sequence[int], count: int) -> list[Tensor]:
    """Return the parts of a flat tensor, shapes (1, replicates, values): one for each hidden layer, then the rest."""
    num_weights = count * sum(weight_sizes)
    layers = torch.split(flat[:num_weights], [count * size for size in weight_sizes])
    return [part.view(1, count, -1) for part in (*layers, flat[num_weights:])]
