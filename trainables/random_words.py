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
