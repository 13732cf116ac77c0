"""In which order replicates see their training examples, and in which batches."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.base.seeds import derive_seed


def epoch_order(seed: int, epoch: int, num_examples: int) -> Tensor:
    """Return the order in which one replicate sees its training examples in `epoch` (1, 2, ...)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(num_examples, generator=generator)


def shuffled(train: Tensor, seeds: Sequence[int], epoch: int) -> Tensor:
    """Return each replicate's rows `train`, shape (replicates, examples), in the order of the epoch."""
    order = torch.stack([epoch_order(seed, epoch, train.shape[1]) for seed in seeds])
    return train.gather(1, order.to(train.device))


def batches_of(train: Tensor, seeds: Sequence[int], epoch: int, batch_size: int) -> list[Tensor]:
    """Return the rows of each batch of the epoch, shapes (replicates, batch size)."""
    batches = list(torch.split(shuffled(train, seeds, epoch), batch_size, dim=1))
    if len(batches) > 1 and batches[-1].shape[1] == 1:
        # Batch norm is undefined for a single example.
        batches.pop()
    return batches
