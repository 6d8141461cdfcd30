import io

import pytest
from PIL import Image, ImageChops

from cover_art import MOST_BYTES, SIZE, fitted_cover, painted_cover
from showrunner.errors import InvalidInput

NAMES = ["Tide", "Zwischen Wissenschaft und Gesellschaft", "Привет, мир", "日本の朝", "x" * 200, "word " * 40, "A"]


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def picture(size, mode="RGB", kind="PNG"):
    buffer = io.BytesIO()
    Image.new(mode, size, 120).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_painted_cover_is_what_apple_wants(name):
    data = painted_cover(name, "An Author")
    image = opened(data)

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (SIZE, SIZE))
    assert 1400 <= SIZE <= 3000
    assert len(data) < MOST_BYTES


def test_the_same_name_always_gives_the_same_picture_and_another_name_another():
    assert painted_cover("Tide", "A") == painted_cover("Tide", "A")
    assert painted_cover("Tide", "A") != painted_cover("Tidy", "A")


@pytest.mark.parametrize("name", ["Tide", "word " * 40, "Wm" * 12])
def test_the_name_stays_within_the_margins(name):
    painted = opened(painted_cover(name, "")).convert("L")
    blank = opened(painted_cover("日", "")).convert("L")

    for box in ((0, 0, 100, 900), (SIZE - 100, 0, SIZE, 900), (0, 0, SIZE, 90)):
        edge = painted.crop(box)
        low, high = edge.getextrema()
        assert high - low < 40, box
    assert blank.size == painted.size


def test_the_name_is_drawn():
    upper = (0, 0, SIZE, 900)
    low, high = opened(painted_cover("Tide", "")).convert("L").crop(upper).getextrema()

    assert high - low > 120


@pytest.mark.parametrize(
    ("size", "mode", "kind", "side"),
    [
        ((3000, 3000), "RGB", "JPEG", 3000),
        ((1000, 600), "RGBA", "PNG", 1400),
        ((5000, 4000), "RGB", "JPEG", 3000),
        ((1600, 1500), "CMYK", "JPEG", 1500),
        ((2000, 2000), "P", "PNG", 2000),
    ],
)
def test_a_given_picture_is_made_square_rgb_and_of_an_allowed_size(size, mode, kind, side):
    image = opened(fitted_cover(picture(size, mode, kind)))

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (side, side))


def test_the_middle_of_a_given_picture_is_kept():
    wide = Image.new("RGB", (2800, 1400), "red")
    wide.paste("blue", (700, 0, 2100, 1400))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")

    image = opened(fitted_cover(buffer.getvalue()))

    difference = ImageChops.difference(image, Image.new("RGB", (1400, 1400), "blue")).convert("L")
    assert difference.getextrema()[1] < 30


@pytest.mark.parametrize("data", [b"", b"not a picture", picture((1500, 1500))[:200]])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(InvalidInput, match=r"^cover_key: "):
        fitted_cover(data)


def test_a_picture_of_absurd_size_is_refused_before_it_is_unpacked():
    with pytest.raises(InvalidInput, match=r"^cover_key: .*12000 x 6000"):
        fitted_cover(picture((12_000, 6_000), "1"))
