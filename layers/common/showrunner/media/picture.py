"""Pictures from elsewhere: opened with care, and brought to the one size and colour space that the video has."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from showrunner.errors import BadOutput

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 40_000_000
MOST_BYTES = 40 * 1024 * 1024
# Each scan of a progressive JPEG is decoded over the whole picture: thousands of them are an attack on the clock.
MOST_SCANS = 64
MOST_PROFILE_BYTES = 4 * 1024 * 1024
_QUALITY = 95
# Between the darkest and the lightest of all pixels; less is an empty picture.
_LEAST_RANGE = 8


def fit_picture(body: bytes, width: int, height: int) -> Image.Image:
    """Return the picture upright, in sRGB without alpha, scaled and cropped to cover exactly `width` x `height`.

    Raises `BadOutput` for what is no PNG, JPEG or WebP file, is broken, has too many pixels, is empty, or has less
    than half the width or height that is needed.
    """
    image = _upright(body)
    if image.width * 2 < width or image.height * 2 < height:
        raise BadOutput(
            f"The picture has {image.width} x {image.height} pixels; at least {width // 2} x {height // 2} are needed."
        )
    from PIL import Image, ImageOps

    fitted = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    if max(high - low for low, high in fitted.getextrema()) < _LEAST_RANGE:  # type: ignore[misc]
        raise BadOutput("The picture is of one colour: there is nothing on it.")
    return fitted


def as_jpeg(image: Image.Image) -> bytes:
    """The picture as JPEG in full colour resolution."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def is_whole_picture(body: bytes, width: int, height: int) -> bool:
    """Whether these bytes are a readable picture of exactly this size."""
    try:
        return _upright(body).size == (width, height)
    except BadOutput:
        return False


def read_picture(path: Path) -> bytes:
    """The file's bytes. Raises `BadOutput` when there are none or too many."""
    size = path.stat().st_size if path.is_file() else 0
    if not 0 < size <= MOST_BYTES:
        raise BadOutput(f"The picture's file has {size} bytes; between 1 and {MOST_BYTES} are allowed.")
    return path.read_bytes()


def _upright(body: bytes) -> Image.Image:
    import warnings

    from PIL import Image, ImageOps, UnidentifiedImageError

    if body.startswith(b"\xff\xd8") and body.count(b"\xff\xda") > MOST_SCANS:
        raise BadOutput("The picture is a JPEG with more scans than any program writes.")
    try:
        if body.startswith(b"\x89PNG"):
            # Reading the pixels takes no notice of the checksums.
            Image.open(io.BytesIO(body), formats=["PNG"]).verify()
        # The limit below is ours, and said in a sentence; Pillow's own would only warn.
        with warnings.catch_warnings(), Image.open(io.BytesIO(body), formats=FORMATS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if image.width * image.height > MOST_PIXELS:
                raise BadOutput(f"The picture has {image.width} x {image.height} pixels; that is too many.")
            image.load()
            return _as_srgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise BadOutput("What came is no picture in PNG, JPEG or WebP.") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BadOutput(f"The picture cannot be read ({type(error).__name__}).") from error


def _as_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB. What shows through is black; a profile that cannot be used counts as sRGB."""
    from PIL import Image, ImageCms

    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _eight_bit(image)
    if "A" in image.getbands() or "transparency" in image.info:
        solid = image.convert("RGBA")
        black = Image.new("RGBA", solid.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, solid).convert("RGB")
    if image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("RGB")
    if profile and len(profile) <= MOST_PROFILE_BYTES:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    values = np.asarray(image, dtype=np.float64)
    return Image.fromarray(np.clip(values / 257, 0, 255).astype(np.uint8))
