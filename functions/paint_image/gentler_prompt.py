"""The same scene in words that no safety filter should mind, for a prompt that one has declined."""

from __future__ import annotations

import re

# What filters look for: violence, bodies, weapons, substances. A landscape loses little without them.
_TOUCHY = re.compile(
    r"\b(?:abandon\w*|army|armies|assassin\w*|attack\w*|battle\w*|blood\w*|bomb\w*|burning|child|children|corpse\w*"
    r"|dead\w*|death\w*|demon\w*|drug\w*|drunk\w*|execut\w*|fight\w*|girl\w*|gun\w*|haunt\w*|hell\w*|horror|kill\w*"
    r"|knife|knives|maiden\w*|murder\w*|naked|nude\w*|poison\w*|rifle\w*|seduct\w*|sensual|sexy|skull\w*|slaughter\w*"
    r"|slave\w*|sword\w*|tortur\w*|violen\w*|war|wars|warrior\w*|weapon\w*|wound\w*)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[\"“”«»][^\"“”«»]*[\"“”«»]")
# A name within a sentence: of a person, a brand or a work, which filters decline too.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z]\w+(?:\s+[A-Z]\w+)*")
_PLAIN = "A peaceful scenery without people and without writing."


def gentler(prompt: str) -> str:
    """The prompt without names, asides and words that filters take amiss, as a peaceful scene without people."""
    text = _NAME.sub(" ", _ASIDE.sub(" ", prompt))
    text = re.sub(r"\s+", " ", _TOUCHY.sub(" ", text))
    text = re.sub(r"(?:\s*([.,;:!?]))+", r"\1", text).strip(" .,;:!?")
    return f"{_PLAIN} {text}." if text else _PLAIN
