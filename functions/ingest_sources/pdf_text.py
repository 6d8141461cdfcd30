"""The text of a PDF, its lines joined to paragraphs."""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO

from showrunner.errors import InvalidInput, Transient
from showrunner.source_text import MOST_CHARACTERS

MOST_PAGES = 1000
_FEWEST_LETTERS_A_PAGE = 20
_FULL_LINE = 0.6
_PAGE_NUMBER = re.compile(
    r"^\W*(?:page|seite|página|pagina)?\W*\d{1,4}(?:\s*(?:/|of|von|de|di|sur)\s*\d{1,4})?\W*$", re.IGNORECASE
)


def pdf_text(field: str, body: bytes, remaining_seconds: Callable[[], float]) -> tuple[str, str]:
    """Return (title, text) of a PDF.

    Raises `InvalidInput` for what is no PDF, is encrypted, has more than `MOST_PAGES` pages or only pictures of text;
    `Transient` when time runs out.
    """
    if not body.lstrip()[:5] == b"%PDF-":
        raise InvalidInput(f"{field}: is not a PDF.")
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader = PdfReader(BytesIO(body), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise _encrypted(field)
            return _read(field, reader, remaining_seconds)
        except DependencyError as error:
            raise _encrypted(field) from error
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise InvalidInput(f"{field}: the PDF is damaged and cannot be read; export it again.") from error


def _read(field: str, reader: object, remaining_seconds: Callable[[], float]) -> tuple[str, str]:
    from pypdf import PdfReader

    assert isinstance(reader, PdfReader)
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise InvalidInput(f"{field}: the PDF has {count:,} pages; at most {MOST_PAGES:,} are allowed. Split it.")
    pages: list[str] = []
    size = 0
    for page in reader.pages:
        if remaining_seconds() < 1:
            raise Transient("The PDF took longer to read than this function may run.")
        pages.append(page.extract_text() or "")
        size += len(pages[-1])
        if size > MOST_CHARACTERS:
            raise InvalidInput(f"{field}: the PDF has more than {MOST_CHARACTERS:,} characters of text; split it.")
    if sum(character.isalpha() for page in pages for character in page) < _FEWEST_LETTERS_A_PAGE * max(1, count):
        raise InvalidInput(f"{field}: the PDF has no text, only pictures of it; run text recognition (OCR) first.")
    title = str(reader.metadata.title or "") if reader.metadata else ""
    return " ".join(title.split()), joined([page.splitlines() for page in pages])


def joined(pages: Sequence[Sequence[str]]) -> str:
    """Return paragraphs from the lines of pages: running heads and page numbers out, broken words whole again."""
    edges = Counter(line.strip() for page in pages for line in {*page[:1], *page[-1:]} if line.strip())
    heads = {line for line, times in edges.items() if times > 2 and times * 2 > len(pages)}
    lines = [
        line.strip()
        for page in pages
        for line in page
        if line.strip() not in heads and not _PAGE_NUMBER.match(line.strip() or "-")
    ]
    usual = sorted(len(line) for line in lines if line)
    full = usual[len(usual) * 3 // 4] * _FULL_LINE if usual else 0
    paragraphs: list[str] = []
    ended = True
    for line in lines:
        if not line:
            ended = True
            continue
        if ended or not paragraphs:
            paragraphs.append(line)
        elif re.search(r"\w[-\u00ad]$", paragraphs[-1]) and line[:1].islower():
            paragraphs[-1] = paragraphs[-1][:-1] + line
        else:
            paragraphs[-1] += f" {line}"
        ended = len(line) < full and (line.endswith((".", "!", "?", ":")) or line[:1].isupper())
    return "\n\n".join(paragraphs)


def _encrypted(field: str) -> InvalidInput:
    return InvalidInput(f"{field}: the PDF is protected by a password; save a copy without one.")
