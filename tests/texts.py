"""Texts that tests write episodes from."""

from pathlib import Path

ARTICLE = (Path(__file__).parents[1] / "examples" / "article.md").read_text("utf-8")
