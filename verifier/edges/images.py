"""Codes read out of image files and drawn into them, with the optional package zxing-cpp."""

from pathlib import Path

try:
    import zxingcpp
    from PIL import Image
except ImportError:  # the optional packages
    HAS_READER = False
else:
    HAS_READER = True

MAX_IMAGE_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 40_000_000
# What phones, scanners and screenshots make; of the others, some start programs (EPS).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

_PIXELS = 8  # a module of a drawn code
_MISSING = "reading and drawing images needs two packages: pip install zxing-cpp pillow"


class ImageError(Exception):
    """No code could be read from an image, or drawn."""


def read_codes(path: Path) -> list[str]:
    """The texts of the QR codes in an image.

    Args:
        path: One of `FORMATS`, at most 20 MiB and 40 megapixels.

    Raises:
        ImageError: The packages are missing, it is no image, or it holds no QR code.
    """
    if not HAS_READER:
        raise ImageError(_MISSING)
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise ImageError(f"{path} is larger than {MAX_IMAGE_BYTES} bytes")
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"{path} has more than {MAX_PIXELS} pixels")
            found = zxingcpp.read_barcodes(
                image.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path} cannot be read as an image") from error
    if not found:
        raise ImageError(f"no QR code found in {path}")
    return [barcode.text for barcode in found]


def draw_code(text: str) -> list[list[bool]]:
    """The modules of a text's QR code, row by row, dark ones true; four light ones around.

    Raises:
        ImageError: The packages are missing.
    """
    # Its own description of its types leaves out that it is a buffer.
    pixels = memoryview(_draw(text, 1))  # type: ignore[arg-type]
    rows, columns = pixels.shape or (0, 0)
    return [[pixels[row, column] == 0 for column in range(columns)] for row in range(rows)]


def write_code(path: Path, text: str) -> None:
    """Write a text's QR code to a picture, for a screen.

    Raises:
        ImageError: The packages are missing, or it cannot be written there.
    """
    picture = _draw(text, _PIXELS)
    try:
        Image.fromarray(picture).save(path)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be written as an image") from error


def _draw(text: str, pixels: int) -> "zxingcpp.Image":
    if not HAS_READER:
        raise ImageError(_MISSING)
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    return zxingcpp.write_barcode_to_image(code, scale=pixels, add_quiet_zones=True)
