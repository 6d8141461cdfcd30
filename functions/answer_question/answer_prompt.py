"""The text that a language model gets to answer a question."""

from __future__ import annotations

import re
from pathlib import Path

from showrunner.conversation import AnswerMaterial, FinishedEpisode
from showrunner.prompts import CAUTION, as_words, render

# Text that looks like a mark of ours would make a citation of something else.
_MARK_LIKE = re.compile(r"\[\s*(?:none|[LS]?\d+)[^\]]*\]", re.IGNORECASE)


def answer_prompt(
    folder: Path, name: str, show: str, episode: FinishedEpisode, material: AnswerMaterial, *, cautious: bool
) -> str:
    """Return the rendered prompt; nothing that is filled in can end its own frame or carry a mark."""
    lines = [
        f"[{mark}] ({_clock(line.start_seconds)}) {_plain(line.speaker)}: {_plain(line.text)}"
        for mark, line in material.lines.items()
    ]
    passages = [
        f"[{mark}] from {_plain(excerpt.title) or 'a source'}: {_plain(excerpt.text)}"
        for mark, excerpt in material.excerpts.items()
    ]
    earlier = [
        f"{'Listener' if remark.role == 'user' else 'You'}: {_plain(remark.text)}" for remark in material.earlier
    ]
    return render(
        folder,
        name,
        {
            "show": _plain(show),
            "title": _plain(episode.title),
            "summary": _plain(episode.summary) or "none",
            "language": material.language,
            "transcript": "\n".join(lines),
            "passages": "\n\n".join(passages) or "(none)",
            "earlier": "\n".join(earlier) or "(this is the first question)",
            "question": _plain(material.question),
            "caution": CAUTION if cautious else "",
        },
    )


def _plain(text: str) -> str:
    return _MARK_LIKE.sub("", as_words(text))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
