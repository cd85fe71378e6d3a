"""The log holds nobody's data, even where all is told."""

import json
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import logging, sys
from PIL import Image
from hpack import Encoder
from issuer.edge import start_log
from issuer.photos import draw_portrait
from tests.issuer.photos.pictures import with_notes

start_log("DEBUG")
for name in ("issuer.worker", "wallet_api.app", "uvicorn.error"):
    logging.getLogger(name).debug("ours")
logging.getLogger("somebody.else").warning("what is wrong")
draw_portrait(with_notes(Image.new("RGB", (300, 450))))
Encoder().encode([("authorization", "Secret")])
"""


def test_at_debug_other_peoples_code_writes_no_headers_and_no_notes_of_photos() -> None:
    command = [sys.executable, "-c", _PROGRAM]
    root = Path(__file__).parents[3]
    told = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stderr

    assert "Secret" not in told
    lines = [json.loads(line) for line in told.splitlines()]
    assert [(line["logger"], line["message"]) for line in lines] == [
        ("issuer.worker", "ours"),
        ("wallet_api.app", "ours"),
        ("uvicorn.error", "ours"),
        ("somebody.else", "what is wrong"),
    ]
