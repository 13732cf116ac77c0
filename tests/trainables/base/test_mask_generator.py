"""Random words for masks: evenly spread, fresh at each draw, and the same for a part as for the whole."""

import torch

from trainables.base.mask_generator import RandomWords


def draws(shape: tuple[int, ...], *, first: int = 0, whole: int | None = None) -> torch.Tensor:
    words = RandomWords(torch.Generator().manual_seed(3), first=first, whole=whole)
    like = torch.empty(shape)
    return torch.stack([words.draw(like).clone() for _ in range(3)])


def test_parts_draw_what_the_whole_draws() -> None:
    whole = draws((5, 7, 3))
    parts = [draws((1, 7, 3), whole=5), draws((4, 7, 3), first=1, whole=5)]
    assert torch.equal(torch.cat(parts, dim=1), whole)


def test_words_are_fresh_and_spread_evenly() -> None:
    whole = draws((2, 100, 100)).double()
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole[:, 0], whole[:, 1])
    assert abs(float(whole.mean())) < 6 * 2**16 / 12**0.5 / whole.numel() ** 0.5
    assert float(whole.min()) < -32_000
    assert float(whole.max()) > 32_000
