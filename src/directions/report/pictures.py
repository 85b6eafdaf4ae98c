"""Pictures of figures within a page: with fewer colours, small, as a PDF to save, and in words."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image

from directions.claims.format import found
from directions.core.errors import InputError
from directions.figures import described, redraw
from directions.report.numbers import minus
from directions.study.catalogue import FIGURES

COLOURS = 256  # halves the bytes; no channel of a pixel moves by more than a twentieth
SMALL = 480  # pixels, the width of a small copy: twice that on the page


@dataclass(frozen=True)
class Picture:
    """A picture as a data URL."""

    source: str
    width: int
    height: int


def picture(path: Path) -> Picture:
    """Encode a PNG for a page, as lossless WebP of `COLOURS` colours."""
    with Image.open(path) as opened:
        reduced = opened.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    return _packed(reduced.convert("RGB"), lossless=True, method=2)


def small(path: Path) -> Picture:
    """Encode a small copy of a PNG."""
    with Image.open(path) as opened:
        copy = opened.convert("RGB")
    copy.thumbnail((SMALL, SMALL))
    return _packed(copy, quality=80)


def _packed(image: Image.Image, **options) -> Picture:
    packed = io.BytesIO()
    image.save(packed, "WEBP", **options)
    return Picture(_url("image/webp", packed.getvalue()), image.width, image.height)


def pdf(path: Path) -> dict | None:
    """Return {source, kilobytes} of the PDF beside a figure's PNG, as a data URL, or None without one."""
    beside = path.with_suffix(".pdf")
    if not beside.exists():
        return None
    content = beside.read_bytes()
    return {"source": _url("application/pdf", content), "kilobytes": -(-len(content) // 1000)}


def _url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def in_words(figure: str, title: str, folder: Path, claims: pd.DataFrame) -> str:
    """Describe a figure: its title, what is drawn, and its first claim of which something was found.

    What is drawn is found by drawing it again, which fails without its tables: then this part is left out.
    """
    try:
        drawn = described.words(redraw.draw(figure, folder)) if figure in FIGURES else ""
    except InputError:
        drawn = ""
    answers = claims[claims["estimate"].notna()]
    result = []
    if len(answers):
        first = answers.iloc[0]
        result = [f"Claim: {first['claim']}", f"Here {found(first).partition('; ')[0]}: {first['verdict']}."]
    return minus(" ".join(filter(None, [title, drawn, *result])))
