"""Files of pictures, good and bad; all are made here by Pillow or by hand."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_kedro.pictures import PictureError, decode_picture
from mnist_kedro.pictures.decode import PixelBudget
from tests.support.pictures import saved


@pytest.fixture(scope="module")
def digit(digits):
    return np.asarray(digits["images"])[0, ..., 0]


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_eight_bits_stay_as_they_are(digit, form, mode):
    picture = Image.fromarray(digit).convert(mode)
    np.testing.assert_array_equal(decode_picture(saved(picture, form)), digit)


@pytest.mark.parametrize(("form", "options"), [("JPEG", {"quality": 95}), ("WEBP", {})])
def test_lossy_formats_are_near(digit, form, options):
    found = decode_picture(saved(Image.fromarray(digit), form, **options))
    assert found.shape == digit.shape
    assert np.abs(found.astype(int) - digit).mean() < 6


def test_sixteen_bits_are_divided(digit):
    deep = digit.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_picture(saved(deep)), digit)
    np.testing.assert_array_equal(decode_picture(saved(deep, "TIFF")), digit)


def test_real_numbers_go_from_their_smallest_to_their_largest(digit):
    found = decode_picture(saved(digit.astype(np.float32) / 255 - 0.5, "TIFF"))
    np.testing.assert_array_equal(found, digit)
    with pytest.raises(PictureError, match="not finite"):
        decode_picture(saved(np.full((5, 5), np.nan, np.float32), "TIFF"))


def test_palettes_and_bits_are_looked_up(digit):
    palette = Image.fromarray(digit).convert("P")
    np.testing.assert_array_equal(decode_picture(saved(palette)), digit)
    bits = Image.fromarray(digit > 127)
    np.testing.assert_array_equal(decode_picture(saved(bits)), np.where(digit > 127, 255, 0))


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (60, 255), (200, 0)])
def test_behind_ink_on_nothing_is_paper_of_the_other_kind(digit, ink, paper):
    drawn = np.dstack([np.full((28, 28), ink, np.uint8)] * 3 + [digit])
    found = decode_picture(saved(drawn))
    strength = digit / 255
    np.testing.assert_allclose(found, paper + (ink - paper) * strength, atol=1)


def test_nothing_at_all_is_white_paper():
    assert (decode_picture(saved(np.zeros((9, 9, 4), np.uint8))) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_turn_is_undone(digit, orientation):
    turns = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # to be turned clockwise
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.fromarray(digit)
    turn = turns[orientation]
    as_taken = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decode_picture(saved(as_taken, exif=exif)), digit)


def test_large_pictures_are_reduced(digit):
    large = np.kron(digit, np.ones((100, 100), np.uint8))
    for form in ("PNG", "JPEG"):
        found = decode_picture(saved(large, form))
        assert max(found.shape) < 1024
        step = len(found) / 28
        middles = ((np.arange(28) + 0.5) * step).astype(int)
        sampled = found[np.ix_(middles, middles)].astype(int)
        assert np.abs(sampled - digit).mean() < 8


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"not a picture at all", "not a picture"),
        (b"GIF89a" + bytes(30), "not a picture"),
        (saved(np.zeros((50, 50), np.uint8))[:60], "damaged"),
        (saved(np.zeros((50, 50), np.uint8), "JPEG")[:300], "damaged|not a picture"),
    ],
)
def test_what_is_no_picture_says_why(data, reason):
    with pytest.raises(PictureError, match=reason):
        decode_picture(data)


@pytest.mark.parametrize("side", [8_000, 12_000, 40_000])
def test_a_small_file_of_a_huge_picture_is_refused(side):
    """Before anything is decoded: its rows are not even there."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    with pytest.raises(PictureError, match="too large"):
        decode_picture(png)


@given(st.sampled_from(["PNG", "JPEG", "BMP", "TIFF", "WEBP"]), st.data())
@settings(deadline=None, max_examples=300)
def test_a_damaged_file_is_a_picture_or_says_why(form, data):
    good = bytearray(saved(np.arange(400, dtype=np.uint8).reshape(20, 20), form))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    for damaged in (good, good[:cut]):
        try:
            picture = decode_picture(bytes(damaged))
        except PictureError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert picture.ndim == 2
            assert picture.dtype == np.uint8


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16", "CMYK"])
def test_large_pictures_of_any_kind_are_reduced(mode):
    """A black square in the middle of a white page."""
    page = np.full((1536, 2048), 255, np.uint8)
    page[512:1024, 512:1024] = 0
    picture = Image.fromarray(page)
    if mode == "I;16":
        picture = Image.fromarray(page.astype(np.uint16) * 257)
    elif mode != "L":
        picture = picture.convert(mode)
    found = decode_picture(saved(picture, "TIFF" if mode == "CMYK" else "PNG"))
    expected = np.full((384, 512), 255, np.uint8)
    expected[128:256, 128:256] = 0
    np.testing.assert_array_equal(found, expected)


def test_a_large_drawing_on_nothing_is_reduced():
    drawn = np.zeros((1536, 1536, 4), np.uint8)
    drawn[512:1024, 512:1024] = 255  # white ink: on black paper
    found = decode_picture(saved(drawn))
    assert (found.shape, found[0, 0], found[256, 256]) == ((512, 512), 0, 255)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_large_pictures_are_turned_as_small_ones_are(form):
    page = np.full((1024, 2048), 255, np.uint8)
    page[:512, :512] = 0
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    found = decode_picture(saved(Image.fromarray(page), form, exif=exif))
    assert found.shape == (512, 256)
    assert found[:128, 128:].max() < 20
    assert found[:128, :128].min() > 230


def test_pictures_share_a_budget_of_pixels():
    picture, larger = (saved(np.zeros((side, side), np.uint8)) for side in (20, 25))
    with pytest.raises(PictureError, match="at most 399 pixels, found 20 × 20"):
        decode_picture(picture, PixelBudget(399))
    budget = PixelBudget(11_000)  # each picture counts 10,000 more
    decode_picture(picture, budget)
    with pytest.raises(PictureError, match="11,000 pixels in one request, of which 600 are left"):
        decode_picture(larger, budget)
    assert decode_picture(picture, budget).shape == (20, 20)


def test_a_reduced_jpeg_counts_as_reduced():
    large = saved(np.zeros((4000, 4000), np.uint8), "JPEG")
    budget = PixelBudget(1_000_000)
    assert decode_picture(large, budget).shape == (1000, 1000)
    with pytest.raises(PictureError, match="of which 0 are left"):
        decode_picture(large, budget)


def test_the_sizes_in_the_files_have_a_limit_too():
    large = saved(Image.new("L", (7000, 7000)), "JPEG")
    budget = PixelBudget(16_000_000)
    decode_picture(large, budget)
    with pytest.raises(PictureError, match="50,000,000 pixels in one request, of which 1,000,000"):
        decode_picture(large, budget)


def test_a_jpeg_of_many_scans_is_refused():
    """A scan of a few bytes is a pass over all pixels."""
    progressive = saved(np.zeros((64, 64), np.uint8), "JPEG", progressive=True)
    assert decode_picture(progressive).shape == (64, 64)
    last = progressive.rindex(b"\xff\xda")
    scan = progressive[last:-2]
    with pytest.raises(PictureError, match="a JPEG of .* scans: expected at most 20"):
        decode_picture(progressive[:last] + 30 * scan + progressive[-2:])
