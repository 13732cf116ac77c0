"""Reads image files as arrays, and writes small ones as PNG."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from trainables.base.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""The names of image files end in one of these, in lower or upper case."""


def read_image(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the image in a file as `pixels_of` does; raise InputError for a file that is broken, too."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            return pixels_of(opened, shape, str(path))
    except FileNotFoundError:
        raise InputError([f"{path}: no such file"], "Give its path.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError([f"{path} is no image that can be read ({error})"], "Look at the file.") from None


def pixels_of(opened: "Image", shape: tuple[int, ...], name: str) -> NDArray[np.uint8]:
    """Return an image of Pillow's as bytes of `shape`, (height, width) or (channels, height, width).

    A colour image becomes grey where the shape has one channel, and a grey one gets equal channels where it has three;
    transparent parts become black. Raises InputError with `name` for one of another size: an image is never resized
    silently.
    """
    from PIL import Image

    height, width = shape[-2:]
    channels = shape[0] if len(shape) == 3 else 1
    if opened.size != (width, height):
        raise InputError(
            [f"{name}: {opened.size[1]} x {opened.size[0]} pixels, and the model takes {height} x {width}"],
            "Bring it to that size, cut as the training images are.",
        )
    has_alpha = opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
    image = opened.convert("RGBA") if has_alpha else opened
    if has_alpha:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    if image.mode == "F":
        raise InputError(
            [f"{name} has real numbers for pixels, of which it is not known what is white"],
            "Save it with pixels of 8 or 16 bits, or give the numbers as an array.",
        )
    if image.mode.startswith("I"):  # 16 bits a pixel, of which Pillow would cut what is above 255
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"), np.uint8)
    return (pixels.transpose(2, 0, 1) if channels == 3 else pixels).reshape(shape)


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
