"""What a show keeps of an episode: few things, each once, the newest staying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg.types.json import Jsonb

from showrunner.conversation import LearnedMemory
from showrunner.database import Statement
from showrunner.writing.retrieval import search_terms
from showrunner.writing.terms import overlap

MOST_OF_AN_EPISODE = 12
MOST_OF_A_SHOW = 100
_MOST_CHARACTERS = 300
_SAYS_THE_SAME = 0.7

# What an earlier review of this episode wrote makes way. What a person wrote, changed or deleted is left as it is.
FORGET_OF_EPISODE = """
delete from public.agent_memories
where organization_id = %(organization)s
  and project_id = %(project)s
  and episode_id = %(episode)s
  and learned
  and deleted_at is null
"""
REMEMBER = """
insert into public.agent_memories (organization_id, project_id, episode_id, kind, content, importance, learned)
select
    episodes.organization_id, episodes.project_id, episodes.id, told.kind::public.agent_memory_kind, told.content,
    told.importance, true
from public.episodes
cross join jsonb_to_recordset(%(memories)s) as told (kind text, content text, importance smallint)
where episodes.id = %(episode)s
  and episodes.project_id = %(project)s
  and episodes.organization_id = %(organization)s
  and not exists (
      select
      from public.agent_memories as known
      where known.project_id = episodes.project_id
        and lower(known.content) = lower(told.content)
  )
"""
FORGET_THE_OLDEST = """
delete from public.agent_memories
where id in (
    select old.id
    from public.agent_memories as old
    where old.organization_id = %(organization)s
      and old.project_id = %(project)s
      and old.learned
      and old.deleted_at is null
    order by old.created_at desc, old.importance desc, old.id
    offset %(most)s
)
"""


def worth_remembering(
    memories: Sequence[LearnedMemory], remembered: Sequence[str], language: str
) -> list[LearnedMemory]:
    """Return the memories that are news, the most important first; two that say the same count once."""
    known = [frozenset(search_terms(text, language)) for text in remembered]
    seen = {_plain(text) for text in remembered}
    kept: list[LearnedMemory] = []
    for memory in sorted(memories, key=lambda one: -one.importance):
        content = " ".join(memory.content.split())[:_MOST_CHARACTERS]
        terms = frozenset(search_terms(content, language))
        if _plain(content) in seen or any(overlap(terms, other) > _SAYS_THE_SAME for other in known):
            continue
        known.append(terms)
        seen.add(_plain(content))
        kept.append(memory.model_copy(update={"content": content}))
    return kept[:MOST_OF_AN_EPISODE]


def memory_statements(ids: Mapping[str, object], memories: Sequence[LearnedMemory]) -> list[Statement]:
    """Return what writes them down; `ids` are episode, organization and project."""
    return [
        Statement(FORGET_OF_EPISODE, dict(ids)),
        Statement(REMEMBER, {**ids, "memories": Jsonb([memory.model_dump() for memory in memories])}),
        Statement(FORGET_THE_OLDEST, {**ids, "most": MOST_OF_A_SHOW}),
    ]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
