"""Writes docs/openapi.json: what the API serves at /openapi.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PATH = PROJECT / "docs" / "openapi.json"


def render() -> str:
    """Return the document as it is kept: indented, keys in the order of the routes."""
    folder = str(PROJECT / "functions" / "api")
    if folder not in sys.path:
        sys.path.append(folder)
    import api
    import api_document
    from showrunner.services import Services
    from showrunner.settings import Settings

    app = api.make_app(lambda: Services(Settings()))
    return json.dumps(api_document.document(app), indent=2, sort_keys=True) + "\n"


def main() -> None:
    PATH.write_text(render())


if __name__ == "__main__":
    main()
