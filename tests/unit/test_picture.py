"""Pictures from elsewhere: brought to one size and colour space, or refused with a sentence."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from showrunner.errors import BadOutput
from showrunner.media import picture as pictures
from showrunner.media.picture import as_jpeg, fit_picture, is_whole_picture
from tests.unit.image_adapters import picture


def fitted(body: bytes) -> Image.Image:
    return fit_picture(body, 1920, 1080)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1472, 832), (1024, 1024), (1920, 1080), (3840, 1600), (960, 540)])
def test_every_picture_ends_at_exactly_1080p(kind: str, size: tuple[int, int]) -> None:
    image = fitted(picture(*size, kind))

    assert (image.size, image.mode) == ((1920, 1080), "RGB")
    assert is_whole_picture(as_jpeg(image), 1920, 1080)


def test_what_is_cropped_is_the_edge_and_not_the_middle() -> None:
    wide = Image.new("RGB", (3840, 1080), (200, 0, 0))
    wide.paste((0, 200, 0), (1100, 0, 2740, 1080))

    image = fitted(saved(wide))

    assert image.getpixel((960, 540)) == (0, 200, 0)
    assert image.getpixel((40, 540)) == (200, 0, 0)


def test_a_picture_lies_as_its_orientation_says() -> None:
    upright = Image.open(io.BytesIO(picture(1920, 1080)))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise

    image = fitted(saved(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95))

    difference = np.asarray(image, int) - np.asarray(upright, int)
    assert np.abs(difference).mean() < 3


def test_colours_of_another_profile_become_those_of_srgb() -> None:
    grey = Image.new("L", (1920, 1080), 128)
    grey.paste(40, (0, 0, 960, 1080))
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    lab = ImageCms.profileToProfile(grey.convert("RGB"), ImageCms.createProfile("sRGB"), linear, outputMode="LAB")
    assert lab is not None
    unprofiled = fitted(saved(grey.convert("RGB")))

    tagged = fitted(
        saved(grey.convert("RGB"), icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    )

    assert tagged.getpixel((1500, 500)) == unprofiled.getpixel((1500, 500)) == (128, 128, 128)


def test_a_wide_gamut_profile_changes_the_numbers(wide_gamut: bytes) -> None:
    green = Image.new("RGB", (1920, 1080), (60, 180, 60))
    green.paste((10, 10, 10), (0, 0, 200, 200))

    image = fitted(saved(green, icc_profile=wide_gamut))

    red, _, blue = image.getpixel((1000, 800))  # type: ignore[misc]
    assert red < 40 or blue < 40, "the same green is more saturated in sRGB"
    assert "icc_profile" not in image.info or image.info["icc_profile"] != wide_gamut


@pytest.fixture
def wide_gamut() -> bytes:
    """sRGB's profile with its red and blue primaries moved outwards: what the numbers mean is wider than sRGB."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    moved = {
        b"rXYZ": (0.60974, 0.31111, 0.01947),
        b"gXYZ": (0.20528, 0.62567, 0.06087),
        b"bXYZ": (0.14919, 0.06322, 0.74457),
    }
    for index in range(count):
        name, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if name in moved:
            values = [round(value * 65536) for value in moved[name]]
            struct.pack_into(">iii", profile, offset + 8, *values)
    return bytes(profile)


def test_a_broken_profile_counts_as_none() -> None:
    plain = Image.open(io.BytesIO(picture(1920, 1080)))

    image = fitted(saved(plain, icc_profile=b"\0" * 200))

    assert np.array_equal(np.asarray(image), np.asarray(plain))


def test_what_shows_through_becomes_black() -> None:
    image = Image.open(io.BytesIO(picture(1920, 1080))).convert("RGBA")
    image.paste((255, 255, 255, 0), (0, 0, 100, 100))

    flat = fitted(saved(image))

    assert (flat.mode, flat.getpixel((50, 50))) == ("RGB", (0, 0, 0))


@pytest.mark.parametrize("mode", ["L", "P", "LA", "1", "CMYK"])
def test_other_kinds_of_pixels_are_read(mode: str) -> None:
    image = Image.open(io.BytesIO(picture(1920, 1080))).convert(mode)

    assert fitted(saved(image, "JPEG" if mode == "CMYK" else "PNG")).mode == "RGB"


def test_sixteen_bits_a_channel_keep_their_tones() -> None:
    values = (np.linspace(0, 65535, 1920)[None, :] * np.ones((1080, 1))).astype(np.uint16)

    image = fitted(saved(Image.fromarray(values)))

    assert image.getpixel((960, 500))[0] in range(126, 130)  # type: ignore[index]


@pytest.mark.parametrize("size", [(959, 540), (960, 539), (512, 512), (1, 1), (4000, 100)])
def test_a_picture_that_would_be_blown_up_more_than_twice_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadOutput, match="at least 960 x 540 are needed"):
        fitted(picture(*size))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 60, 60)])
def test_a_picture_of_one_colour_is_refused(colour: tuple[int, int, int]) -> None:
    with pytest.raises(BadOutput, match="one colour"):
        fitted(saved(Image.new("RGB", (1920, 1080), colour)))


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    )


HOSTILE = {
    "nothing": b"",
    "words": b"I'm sorry, I cannot draw that.",
    "a page": b"<html><body>Service unavailable</body></html>",
    "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a program for a printer": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1920 1080\n(/etc/passwd) run\n",
    "an animation": saved(Image.open(io.BytesIO(picture(1920, 1080))).convert("P"), "GIF"),
    "a format that is not asked for": saved(Image.open(io.BytesIO(picture(1920, 1080))), "TIFF"),
    "a bitmap": saved(Image.open(io.BytesIO(picture(1920, 1080))), "BMP"),
    "a bomb": png_that_claims(60_000, 60_000),
    "too many pixels": png_that_claims(9_000, 5_000),
    "half of a PNG": picture(1920, 1080)[:4_000],
    "half of a JPEG": picture(1920, 1080, "JPEG")[:9_000],
    "half of a WebP": picture(1920, 1080, "WEBP")[:3_000],
    "a spoilt PNG": picture(1920, 1080)[:500] + bytes(500) + picture(1920, 1080)[1_000:],
    "no pixels": png_that_claims(1920, 1080),
    "a JPEG of endless scans": picture(1920, 1080, "JPEG")[:-2] + b"\xff\xda\0\x08\1\1\0\0\0\0" * 500,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(BadOutput) as raised:
        fitted(HOSTILE[name])

    assert raised.value.message.endswith(".")


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpacked(self: Image.Image) -> None:
        raise AssertionError("the pixels were read")

    monkeypatch.setattr(Image.Image, "load", unpacked)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpacked)

    with pytest.raises(BadOutput, match="too many"):
        fitted(png_that_claims(9_000, 5_000))


def test_a_file_that_is_too_large_or_missing_is_not_read(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(pictures, "MOST_BYTES", 10)
    (tmp_path / "large").write_bytes(bytes(11))

    for name in ("large", "missing"):
        with pytest.raises(BadOutput, match="bytes"):
            pictures.read_picture(tmp_path / name)
