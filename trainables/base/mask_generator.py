"""Random integers for the dropout masks of a stack, independent of whether it is trained whole or in parts."""

import torch
from torch import Tensor


class RandomWords:
    """Draws random 16-bit integers for all or some replicates of a stack.

    A part of a stack draws what the whole stack would draw and uses its own share, so that a trial trained in parts,
    to save memory, has the same masks as in one piece.
    """

    def __init__(self, generator: torch.Generator, *, first: int = 0, whole: int | None = None) -> None:
        """Draw from `generator` for the replicates from `first` on of a stack of `whole` (None: for all of them)."""
        self.generator = generator
        self.first, self._whole = first, whole
        """The first replicate's place in the whole stack."""
        self._room: dict[int, Tensor] = {}
        self._on_host = torch.Generator()

    def draw(self, like: Tensor) -> Tensor:
        """Return new int16 values with the shape of `like`, (replicates, ...); the next draw overwrites them."""
        whole = self._whole or len(like)
        count = whole * like[0].numel()
        num_words = -(-count // 4)
        if num_words not in self._room:
            self._room[num_words] = torch.empty(num_words, dtype=torch.int64, device=like.device)
        # The full range is needed: by default the top bit of int64 stays 0.
        words = self._room[num_words].random_(-(2**63), None, generator=self.generator)
        values = words.view(torch.int16)[:count].view(whole, *like.shape[1:])
        return values[self.first : self.first + len(like)]

    def draw_seeds(self, count: int) -> list[int]:
        """Return a new seed for each of `count` replicates, without synchronizing with the GPU.

        They depend on the generator's initial seed and the number of draws of seeds so far.
        """
        seed = self.generator.initial_seed()
        if self._on_host.initial_seed() != seed:
            self._on_host.manual_seed(seed)
        whole = self._whole or count
        seeds: list[int] = torch.empty(whole, dtype=torch.int64).random_(generator=self._on_host).tolist()
        return seeds[self.first : self.first + count]
