"""The readable part of a web page, as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from showrunner.errors import InvalidInput
from showrunner.source_text import decode_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_BLOCKS = {"p", "div", "section", "article", "blockquote", "figcaption", "ul", "ol", "table", "tr", "pre", "dd", "dt"}
_HEADINGS = {"h1": "## ", "h2": "### ", "h3": "### ", "h4": "#### ", "h5": "#### ", "h6": "#### "}
_LEFT_OUT = {"script", "style", "noscript", "template", "iframe", "object", "svg", "form", "nav", "figure", "img"}
# Deeper than any page a person wrote.
_MOST_DEPTH = 200


def page_text(body: bytes, charset: str | None, url: str) -> tuple[str, str]:
    """Return (title, Markdown) of an HTML page without its menus, ads and footers.

    Raises `InvalidInput` where the page has no running text, as when a browser would have to build it first.
    """
    import trafilatura

    html = decode_html(body, charset)
    title, text = "", ""
    document = trafilatura.load_html(html)
    if document is not None:
        text = (
            trafilatura.extract(
                document,
                url=url,
                output_format="markdown",
                include_comments=False,
                include_tables=False,
                include_images=False,
                include_links=False,
                favor_precision=False,
                with_metadata=False,
            )
            or ""
        )
        title = _title(html, url)
    if not text.strip():
        raise InvalidInput(
            f"url: {url} has no readable text; give a page whose text is in its HTML, or paste the text."
        )
    return title, text.strip()


def decode_html(body: bytes, charset: str | None) -> str:
    """Decode by the server's charset, else the page's own, else as UTF-8 or Windows-1252."""
    named = _META_CHARSET.search(body[:4096])
    for name in (charset, named[1].decode("ascii", "replace") if named else None):
        if name:
            try:
                # Browsers read Latin-1 as Windows-1252 (WHATWG Encoding).
                return body.decode("cp1252" if name.lower() in {"iso-8859-1", "latin-1", "latin1"} else name)
            except (LookupError, UnicodeDecodeError):
                continue
    return decode_text("url", body)


def fragment_text(html: str) -> str:
    """Return a piece of HTML, as a feed carries it, as Markdown paragraphs."""
    if "<" not in html:
        return html.strip()
    from lxml import html as lxml_html  # type: ignore[import-untyped]
    from lxml.etree import LxmlError  # type: ignore[import-untyped]

    try:
        root = lxml_html.fragment_fromstring(html, create_parent="div")
    except (LxmlError, ValueError):
        return ""
    pieces: list[str] = []
    _write(root, pieces, 0)
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in "".join(pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _write(element: HtmlElement, pieces: list[str], depth: int) -> None:
    tag = element.tag if isinstance(element.tag, str) else ""
    if tag and tag not in _LEFT_OUT and depth < _MOST_DEPTH:
        opening = "\n\n" + _HEADINGS.get(tag, "") if tag in _BLOCKS or tag in _HEADINGS else ""
        pieces.append("\n- " if tag == "li" else "\n" if tag == "br" else opening)
        pieces.append(re.sub(r"\s+", " ", element.text or ""))
        for child in element:
            _write(child, pieces, depth + 1)
        pieces.append("\n\n" if opening else "")
    pieces.append(re.sub(r"\s+", " ", element.tail or ""))


def _title(html: str, url: str) -> str:
    import trafilatura

    metadata = trafilatura.extract_metadata(html, default_url=url)
    return " ".join(str(metadata.title or "").split()) if metadata else ""
