"""Reads image files as arrays, and writes small ones as PNG."""

import io
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainables.use.errors import InputError

ENDINGS: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""The names of image files end in one of these, in lower or upper case."""


def read_image(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the image as bytes of `shape`, (height, width) or (channels, height, width).

    A colour image becomes grey where the shape has one channel, and a grey one gets equal channels where it has three;
    transparent parts become black. Raises InputError for a file that is broken or of another size: an image is never
    resized silently.
    """
    from PIL import Image, UnidentifiedImageError

    height, width = shape[-2:]
    channels = shape[0] if len(shape) == 3 else 1
    try:
        with Image.open(path) as opened:
            if opened.size != (width, height):
                raise InputError(
                    [
                        f"{path}: {opened.size[1]} x {opened.size[0]} pixels, and the model takes {height} x {width}"
                    ],
                    "Bring it to that size, cut as the training images are.",
                )
            has_alpha = opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
            image = opened.convert("RGBA") if has_alpha else opened
            if has_alpha:
                image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
            pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"), np.uint8)
    except FileNotFoundError:
        raise InputError([f"{path}: no such file"], "Give its path.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError([f"{path} is no image that can be read ({error})"], "Look at the file.") from None
    if channels == 3:
        pixels = pixels.transpose(2, 0, 1)
    return pixels.reshape(shape)


def to_png(values: NDArray[np.float32], shape: tuple[int, ...], low: float, high: float) -> bytes:
    """Return an example's values, `low` to `high`, as a PNG image."""
    from PIL import Image

    height, width = shape[-2:]
    scaled = np.clip((values.reshape(-1, height, width) - low) / ((high - low) or 1) * 255, 0, 255)
    pixels = np.nan_to_num(scaled).round().astype(np.uint8)
    image = Image.fromarray(pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0])
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
