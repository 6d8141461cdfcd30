"""The programs that docs/ has for client apps run from top to bottom, while a real episode is made behind them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.conftest import Backend
from tests.rigs.pages import ROOT, program
from tests.rigs.supabase_api import NODE, PACKAGES, run

PAGES = {"js": ROOT / "docs" / "clients-javascript.md", "python": ROOT / "docs" / "clients-python.md"}
NEW_WORDS = "The sea comes back twice a day, whether or not anyone is waiting."


@dataclass(frozen=True)
class Told:
    """What a program of the page printed, and the names it used."""

    backend: Backend
    text: str
    email: str
    organization: str

    def row(self, query: str) -> dict[str, Any]:
        """The one row of a query in which `:organization` is the id of the program's organization."""
        [row] = self.rows(query)
        return row

    def rows(self, query: str) -> list[dict[str, Any]]:
        chosen = "(select id from public.organizations where name = %s)"
        return self.backend.rows(
            query.replace(":organization", chosen), *[self.organization] * query.count(":organization")
        )

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def line(self, pattern: str) -> re.Match[str]:
        """The one line that is as the pattern says."""
        [found] = [match for match in (re.fullmatch(pattern, line) for line in self.lines) if match]
        return found


@pytest.fixture(scope="session", params=PAGES)
def told(request: pytest.FixtureRequest, backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder, text = tmp_path_factory.mktemp("docs"), program(PAGES[request.param], request.param)
    if request.param == "js":
        (folder / "node_modules").symlink_to(PACKAGES)
        # Its client stays alive to refresh the session.
        (folder / "page.mjs").write_text(f"{text}\nprocess.exit(0);\n")
        command, names = [str(NODE), str(folder / "page.mjs")], ("ada@example.com", "Tide Radio")
    else:
        (folder / "page.py").write_text(text)
        command, names = [sys.executable, str(folder / "page.py")], ("cora@example.com", "Harbour Voices")
    return Told(backend, run(command, ROOT, backend.environment), *names)


def test_a_new_account_finds_a_profile_and_a_personal_organization(told: Told) -> None:
    assert told.line(r"\w+ is owner of a personal organization")
    [account] = told.backend.rows(
        "select profile.id, personal_user_id from auth.users as account left join public.users as profile using (id) "
        "left join public.organizations using (id) where email = %s",
        told.email,
    )
    assert account["id"] == account["personal_user_id"]


def test_a_show_has_its_sources_note_and_cadence(told: Told) -> None:
    sources = told.rows(
        "select kind::text, upload_key is not null as is_file from public.sources "
        "where organization_id = :organization order by 1, 2"
    )
    assert [tuple(source.values()) for source in sources] == [("markdown", False), ("text", False), ("text", True)]
    assert told.line("upload: 201, 200")
    note = told.row("select status::text from public.planning_notes where organization_id = :organization")
    assert note == {"status": "consumed"}
    show = told.row("select cadence_config from public.projects where organization_id = :organization")
    assert show["cadence_config"]["days"] == ["mon", "thu"]


def test_the_episode_was_made_and_told_what_it_waits_for(told: Told) -> None:
    episode = told.row(
        "select status::text, generation_status::text, generation_progress from public.episodes "
        "where organization_id = :organization"
    )

    assert episode == {"status": "published", "generation_status": "completed", "generation_progress": 100}
    assert told.line(r".*ingest_sources.*")


def test_the_script_was_read_line_by_line(told: Told) -> None:
    blocks = told.rows(
        "select speaker, markdown from public.blocks where organization_id = :organization order by position"
    )

    kept = [f"{block['speaker']}: {block['markdown']}" for block in blocks if block["markdown"] != NEW_WORDS]
    assert len(kept) == len(blocks) - 1
    assert [line for line in told.lines if line in kept] == kept


def test_only_what_depends_on_the_edited_line_was_made_again(told: Told) -> None:
    planned = [line.split()[2] for line in told.lines if line.startswith("would run ")]
    attempts = told.rows(
        "select stage, count(*) from public.jobs where organization_id = :organization and attempt > 1 "
        "group by stage order by stage"
    )

    assert sorted(planned) == ["master_episode", "publish_episode", "speak_line"]
    assert attempts == [{"stage": stage, "count": 1} for stage in sorted(planned)]
    assert told.line("build 2 is completed")
    spoken = told.rows(
        "select input ->> 'text' as text from public.jobs where organization_id = :organization and attempt > 1 "
        "and stage = 'speak_line'"
    )
    assert spoken == [{"text": NEW_WORDS}]


def test_bytes_are_played_by_range_and_whole(told: Told) -> None:
    whole = told.row(
        "select assets.bytes from public.episodes join public.assets on assets.id = audio_asset_id "
        "where episodes.organization_id = :organization"
    )["bytes"]

    assert told.line("206: 4096 bytes to begin with")
    assert told.line(f"200: {whole} of {whole} bytes in all")
    assert told.line("published: 200 audio/mpeg")


def test_a_highlight_marks_a_line(told: Told) -> None:
    marked = told.row(
        "select quote = markdown as is_the_line from public.highlights join public.blocks on blocks.id = block_id "
        "where highlights.organization_id = :organization and note = 'Open the trailer with this.'"
    )
    assert marked == {"is_the_line": True}


def test_a_question_is_answered_with_citations(told: Told) -> None:
    answer = told.row(
        "select status::text, content, jsonb_array_length(citations) as citations from public.chat_messages "
        "where organization_id = :organization and role = 'assistant'"
    )

    printed = told.text.partition(f"answer completed, {answer['citations']} citations: ")[2]
    assert answer["status"] == "completed"
    assert answer["citations"] > 0
    assert printed.startswith(answer["content"])


def test_a_revoked_address_is_useless_at_once(told: Told) -> None:
    assert told.line("feed: 200; then 404 at the old address, 200 at the new one")


def test_a_deleted_show_takes_no_episode_until_it_is_restored(told: Told) -> None:
    assert told.line("23514 project_id: the show was deleted.")
    assert told.row("select deleted_at from public.projects where organization_id = :organization") == {
        "deleted_at": None
    }


def test_the_newest_productions_are_listed_to_the_last(told: Told) -> None:
    found, older = map(int, told.line(r"productions: (\d+), then (\d+)").groups())

    # The episode, and the answer about it; what was proposed since may have come after.
    assert 2 <= found <= len(told.rows("select 1 from public.productions where organization_id = :organization"))
    assert older == 0


def test_a_member_joins_by_invitation_and_leaves(told: Told) -> None:
    events = told.rows(
        "select event_type, user_id = accepted_by as is_the_invited from public.user_events "
        "join public.organization_invitations using (organization_id) "
        "where organization_id = :organization and event_type ~ 'invit|_left' order by user_events.created_at"
    )

    assert [tuple(event.values()) for event in events] == [
        ("member_invited", False),
        ("invitation_accepted", True),
        ("organization_left", True),
    ]
    assert told.line("left: true; shows to see: 0")
