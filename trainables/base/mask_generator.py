"""Random words for the masks of a stack, the same ones whether it is trained whole or in parts."""

import torch
from torch import Tensor


class RandomWords:
    """Draws random 16-bit integers for some of the replicates of a whole stack.

    A part draws what the whole would draw and keeps its own: so a trial that is trained in parts, because memory is
    short, has the masks that it would have had in one piece.
    """

    def __init__(self, generator: torch.Generator, *, first: int = 0, whole: int | None = None) -> None:
        """Draw from `generator` for replicates from `first` on of a stack of `whole`; None: these are all."""
        self.generator = generator
        self._first, self._whole = first, whole
        self._room: dict[int, Tensor] = {}
        self._on_host = torch.Generator()

    def draw(self, like: Tensor) -> Tensor:
        """Return fresh int16 values in the shape of `like`, (replicates, ...), good until the next draw."""
        whole = self._whole or len(like)
        count = whole * like[0].numel()
        num_words = -(-count // 4)
        if num_words not in self._room:
            self._room[num_words] = torch.empty(num_words, dtype=torch.int64, device=like.device)
        # The full range is asked for: by default the top bit of int64 stays 0.
        words = self._room[num_words].random_(-(2**63), None, generator=self.generator)
        values = words.view(torch.int16)[:count].view(whole, *like.shape[1:])
        return values[self._first : self._first + len(like)]

    def draw_seeds(self, count: int) -> list[int]:
        """Return a fresh seed for each of `count` replicates, without waiting for a device.

        They follow from what the generator was seeded with, and from the number of draws since.
        """
        seed = self.generator.initial_seed()
        if self._on_host.initial_seed() != seed:
            self._on_host.manual_seed(seed)
        whole = self._whole or count
        seeds: list[int] = torch.empty(whole, dtype=torch.int64).random_(generator=self._on_host).tolist()
        return seeds[self._first : self._first + count]
