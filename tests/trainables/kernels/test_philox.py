"""Random bits are Philox4x32-10's, as its authors publish them; masks of different counters have nothing in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tests.trainables.kernels import called
from trainables.kernels import compiling

pytestmark = pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled")

WORDS = st.integers(0, 2**32 - 1)
MASK = 0xFFFFFFFF
ALPHA = 1e-6
"""A fixed seed is not tested against again and again: so rare is a fault that is none."""


def philox(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Return the four words for a counter, round by round as the paper has it."""
    (x0, x1, x2, x3), (k0, k1) = counter, key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * x0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * x2, 2**32)
        x0, x1, x2, x3 = high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return [x0, x1, x2, x3]


def words(count: int, key: Sequence[int], rest: Sequence[int]) -> NDArray[np.uint32]:
    """Return the words of `count` counters, (4, count)."""
    made = np.zeros(4 * count, np.uint32)
    called.fill_words(made, *(np.uint32(number) for number in (*key, *rest)))
    return made.reshape(4, count)


def halves(count: int, key: Sequence[int], rest: Sequence[int]) -> NDArray[np.uint16]:
    return words(-(-count // 8), key, rest).reshape(-1).view(np.uint16)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_the_twin_gives_the_published_words(counter: str, key: str, expected: str) -> None:
    """They are the known answers of the authors' library, Random123."""
    numbers = [[int(word, 16) for word in text.split()] for text in (counter, key, expected)]
    assert philox(numbers[0], numbers[1]) == numbers[2]


def test_the_kernel_gives_the_published_words_for_the_first_counter() -> None:
    expected = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert words(1, (0, 0), (0, 0, 0))[:, 0].tolist() == expected


@given(count=st.integers(1, 40), key=st.tuples(WORDS, WORDS), rest=st.tuples(WORDS, WORDS, WORDS))
def test_the_kernel_gives_the_twins_words(
    count: int, key: tuple[int, int], rest: tuple[int, int, int]
) -> None:
    expected = [philox((place, *rest), key) for place in range(count)]
    assert words(count, key, rest).T.tolist() == expected


@pytest.mark.parametrize("rest", [(0, 0, 0), (1, 16, 5), (3, 400, 127)])
def test_16_bit_halves_are_uniform(rest: tuple[int, int, int]) -> None:
    drawn = halves(1 << 20, (12345, 678), rest)
    for binned in (drawn >> 8, drawn & 0xFF, drawn[0::2] >> 8, drawn[1::2] >> 8):
        assert stats.chisquare(np.bincount(binned, minlength=256)).pvalue > ALPHA
    below = np.mean(drawn < round(0.7 * 65536))
    assert abs(below - 0.7) < 5 * np.sqrt(0.7 * 0.3 / drawn.size)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (((7, 0), (0, 1, 2)), ((8, 0), (0, 1, 2))),  # another epoch's key
        (((7, 0), (0, 1, 2)), ((7, 1), (0, 1, 2))),
        (((7, 0), (0, 1, 2)), ((7, 0), (1, 1, 2))),  # another layer
        (((7, 0), (0, 1, 2)), ((7, 0), (0, 2, 2))),  # another step
        (((7, 0), (0, 1, 2)), ((7, 0), (0, 1, 3))),  # another network
        (((7, 0), (0, 1, 2)), ((7, 0), (0, 2, 1))),
        (((7, 0), (0, 1, 2)), ((7, 0), (1, 0, 2))),
    ],
)
def test_masks_of_other_counters_are_independent(one: Any, other: Any) -> None:
    count = 1 << 16
    masks = [halves(count, *drawn) < 32768 for drawn in (one, other)]
    table = [[np.sum((masks[0] == a) & (masks[1] == b)) for b in (False, True)] for a in (False, True)]
    assert stats.chi2_contingency(table).pvalue > ALPHA
    assert abs(np.mean(masks[0] == masks[1]) - 0.5) < 5 * 0.5 / np.sqrt(count)


def test_neighbours_in_a_mask_are_independent() -> None:
    mask = halves(1 << 18, (1, 2), (0, 0, 0)) < 32768
    for lag in (1, 2, 4, 8, len(mask) // 4, len(mask) // 2):
        same = np.mean(mask[:-lag] == mask[lag:])
        assert abs(same - 0.5) < 5 * 0.5 / np.sqrt(len(mask) - lag)


def test_a_shorter_array_has_the_same_counters() -> None:
    np.testing.assert_array_equal(words(5, (3, 4), (1, 2, 3)), words(40, (3, 4), (1, 2, 3))[:, :5])
