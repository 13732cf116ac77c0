"""Random bits from a counter: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).

Every word depends on a key and four counters only, so that a network draws the same masks in whatever part of its stack
it is trained, by whatever thread, and after a resume.
"""

import numpy as np
from numpy.typing import NDArray

from trainables.kernels.compiling import inner_kernel

ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))
HALF = np.uint64(32)


@inner_kernel
def fill_words(
    words: NDArray[np.uint32], key0: np.uint32, key1: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32
) -> None:
    """Fill `words`, whose length is a multiple of 4, with random bits.

    Number i of its first quarter, and of each of the others, are the four words for the counter (i, c1, c2, c3).
    """
    quarter = len(words) // 4
    for i in range(quarter):
        x0, x1, x2, x3 = np.uint32(i), c1, c2, c3
        k0, k1 = key0, key1
        for _ in range(ROUNDS):
            p0 = MULTIPLIERS[0] * np.uint64(x0)
            p1 = MULTIPLIERS[1] * np.uint64(x2)
            x0, x2 = np.uint32(np.uint32(p1 >> HALF) ^ x1 ^ k0), np.uint32(np.uint32(p0 >> HALF) ^ x3 ^ k1)
            x1, x3 = np.uint32(p1), np.uint32(p0)
            k0, k1 = np.uint32(k0 + WEYL[0]), np.uint32(k1 + WEYL[1])
        words[i] = x0
        words[quarter + i] = x1
        words[2 * quarter + i] = x2
        words[3 * quarter + i] = x3
