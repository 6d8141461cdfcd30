"""Makes calls with supabase-py for as long as its input is open: `js/call.mjs`, which see, in the other language."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from postgrest.exceptions import APIError
from supabase import Client, create_client


def asked(supabase: Client, call: dict[str, Any]) -> Any:
    if "rpc" in call:
        return supabase.rpc(call["rpc"], call["args"])
    rows = supabase.table(call["table"])
    if "insert" in call:
        return rows.insert(call["insert"])
    if "select" in call:
        wanted = rows.select(call["select"])
    else:
        wanted = rows.update(call["update"]) if "update" in call else rows.delete()
    return wanted.match(call["eq"]) if "eq" in call else wanted


def answer(supabase: Client, call: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"data": asked(supabase, call).execute().data, "error": None}
    except APIError as error:
        return {"data": None, "error": {"code": error.code, "message": error.message, "hint": error.hint}}


def main() -> None:
    supabase = create_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_PUBLISHABLE_KEY"])
    for line in sys.stdin:
        asks = json.loads(line)
        supabase.postgrest.auth(asks["token"] or os.environ["SUPABASE_PUBLISHABLE_KEY"])
        print(json.dumps([answer(supabase, call) for call in asks["calls"]]), flush=True)


if __name__ == "__main__":
    main()
