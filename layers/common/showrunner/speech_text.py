"""From a block's Markdown to the plain words that are spoken and shown in the transcript."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator

_FENCE = re.compile(r"^\s*(```|~~~).*$")
_RULE = re.compile(r"^\s*([-*_=])(\s*\1){2,}\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_LINK_DEFINITION = re.compile(r"^\s*\[[^\]]+\]:\s*\S+.*$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$")
_QUOTE_MARK = re.compile(r"^\s*(?:>\s?)+")

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_PROTECTED = re.compile(r"\x00(\d+);")
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\[\]]+)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])")
_FOOTNOTE = re.compile(r"\[\^[^\]]+\]")
_URL = re.compile(r"<?\bhttps?://(?:www\.)?([^\s/<>()\"']+)(?:/[^\s<>\"']*?)?>?(?=[.,;:!?)\]]*(?:\s|$))")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CODE = re.compile(r"(`+)(.+?)\1")
_EMPHASIS = (
    re.compile(r"(\*{1,3})(?=\S)([^*]+?)(?<=\S)\1"),
    re.compile(r"(?<!\w)(_{1,3})(?=\S)([^_]+?)(?<=\S)\1(?!\w)"),
    re.compile(r"(~~)(?=\S)([^~]+?)(?<=\S)\1"),
)
_PICTOGRAPH = re.compile("[\u2600-\u27bf\u2b50-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff]")
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]")
_PLAIN = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"',
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'",
        "…": "...", "—": " – ", "―": " – ", "‐": "-", "‑": "-", "−": "-",
    }
)  # fmt: skip

_SENTENCE_END = re.compile(r"""(?:[.!?]+["')\]]*(?=\s)|[。！？]+[」』”]*)""")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:[A-Z]|Mrs?|Ms|Dr|Prof|St|Mt|Jr|Sr|vs|etc|e\.g|i\.e|cf|ca|approx|[Nn]o|[Ff]ig|Inc|Ltd|Co|"
    r"[Bb]zw|z\.B|d\.h|usw|Nr|Sra?|Srta|Ud|M|Mme|Mlle|[Uu]\.S|[Uu]\.K|a\.m|p\.m)\.$"
)


def speakable(markdown: str) -> str:
    """Return the plain text of a block: no markup, one line, ordinary quotes, sentence punctuation kept.

    A heading or list item that ends without punctuation gets a full stop, so that the voice pauses there.
    Links become their text and bare addresses their host name. The result of plain text is that text.
    """
    text = unicodedata.normalize("NFC", markdown.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", ""))
    text = _COMMENT.sub(" ", text)
    text = _ESCAPED.sub(lambda match: f"\x00{ord(match[1])};", text)
    text = " ".join(_lines(text))
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = _URL.sub(r"\1", text)
    text = _TAG.sub("", text)
    text = _CODE.sub(r"\2", text)
    for _ in range(3):  # bold within italics and the like
        for emphasis in _EMPHASIS:
            text = emphasis.sub(r"\2", text)
    text = _PROTECTED.sub(lambda match: chr(int(match[1])), text)
    text = html.unescape(text)
    return _tidy(text)


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if _FENCE.match(line) or _RULE.match(line) or _TABLE_RULE.match(line) or _LINK_DEFINITION.match(line):
            continue
        stripped = _QUOTE_MARK.sub("", line).strip()
        if marked := _HEADING.match(stripped) or _ITEM.match(stripped):
            yield _ended(marked[1])
        elif stripped.startswith("|"):
            yield _ended(", ".join(cell.strip() for cell in stripped.strip("|").split("|") if cell.strip()))
        elif stripped:
            yield stripped


def _ended(line: str) -> str:
    line = line.strip()
    return line if not line or line.rstrip("*_\"')]")[-1:] in ".!?:;,。！？" else f"{line}."


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", _PICTOGRAPH.sub(" ", text)).translate(_PLAIN)
    text = "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Cs", "Co"} else letter for letter in text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s+([.,;!?])(?=\s|$)", r"\1", text)


def split_sentences(text: str) -> list[str]:
    """Split plain text after each sentence; abbreviations and initials do not end one."""
    sentences: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        following = text[end.end() :].lstrip()
        if _ABBREVIATION.search(text[start : end.end()]) or following[:1].islower():
            continue
        sentences.append(text[start : end.end()].strip())
        start = end.end()
    if rest := text[start:].strip():
        sentences.append(rest)
    return sentences


def chunks(text: str, limit: int) -> list[str]:
    """Split plain text into pieces of at most `limit` characters: at sentence ends, else at clauses, else at words."""
    pieces: list[str] = []
    for sentence in split_sentences(text):
        for part in _parts(sentence, limit):
            if pieces and len(pieces[-1]) + 1 + len(part) <= limit:
                pieces[-1] += f" {part}"
            else:
                pieces.append(part)
    return pieces


def _parts(sentence: str, limit: int) -> Iterator[str]:
    rest = sentence
    while len(rest) > limit:
        window = rest[: limit + 1]
        clause = max(window.rfind(mark) + 1 for mark in (", ", "; ", ": ", " – "))
        cut = clause if clause > limit // 3 else window.rfind(" ")
        cut = cut if cut > 0 else limit
        yield rest[:cut].strip()
        rest = rest[cut:].strip()
    if rest:
        yield rest
