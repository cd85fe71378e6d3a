"""Reading a code out of an image file, with the optional package zxing-cpp."""

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


class ImageError(Exception):
    """No code could be read from an image."""


def read_codes(path: Path) -> list[str]:
    """The texts of the QR codes in an image.

    Args:
        path: PNG, JPEG or another format of Pillow, at most 20 MiB and 40 megapixels.

    Raises:
        ImageError: The packages are missing, it is no image, or it holds no QR code.
    """
    if not HAS_READER:
        raise ImageError("reading images needs two packages: pip install zxing-cpp pillow")
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise ImageError(f"{path} is larger than {MAX_IMAGE_BYTES} bytes")
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"{path} has more than {MAX_PIXELS} pixels")
            found = zxingcpp.read_barcodes(image.convert("L"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path} cannot be read as an image") from error
    if not found:
        raise ImageError(f"no QR code found in {path}")
    return [barcode.text for barcode in found]
