-- Questions about an episode, answered from what it says and from its sources. An answer is a production of kind
-- `answer`: its subject is the agent's message, which fills while it is written.
--
-- A conversation is its person's alone, and a job's output is seen by the whole organization: no words of it go there.

alter table public.tier_limits add column questions_daily integer not null default 50 check (questions_daily >= 0);
comment on column public.tier_limits.questions_daily is 'Questions about episodes that an organization may ask on one day (UTC).';
update public.tier_limits
set questions_daily = case tier when 'free' then 50 when 'creator' then 500 else 5000 end;

alter table public.chat_messages
    add column in_reply_to uuid unique references public.chat_messages (id) on delete cascade,
    add column status public.production_status,
    add column error text,
    add column citations jsonb not null default '[]' check (jsonb_typeof(citations) = 'array'),
    drop constraint content_has_1_to_20000_characters,
    add constraint content_has_1_to_20000_characters_once_it_is_whole check (
        length(content) <= 20000 and (content ~ '\S' or coalesce(status <> 'completed', false))
    ),
    add constraint answers_have_a_question_and_a_status check ((in_reply_to is null) = (status is null));
comment on table public.chat_messages is
    'What was said, in order of created_at. People''s words never change; an answer fills while it is written.';
comment on column public.chat_messages.in_reply_to is 'The question that this message answers.';
comment on column public.chat_messages.status is 'Of an answer: where its production is. Null for what people say.';
comment on column public.chat_messages.citations is
    'Of an answer, in the order of its marks [1], [2] …: block_id, start_seconds and end_seconds of a line of the episode, '
    'or source_id; and quote, the words found there.';

select private.let_worker('public.chat_messages', 'update');

-- The pipeline ---------------------------------------------------------------------------------------------------------

insert into engine.pipelines (kind, stage, position, after, weight, desired_jobs) values
    ('answer', 'answer_question', 1, '{}', 1, 'engine.desired_answer_question');

create view engine.desired_answer_question with (security_invoker = true) as
select
    productions.id as production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'answer.v1',
        'writer', projects.writer,
        'language', projects.language,
        'show', projects.name,
        'episode', jsonb_build_object(
            'id', episodes.id,
            'title', episodes.title,
            'summary', episodes.summary,
            -- Which recording is asked about: another one gives another answer.
            'transcript_sha256', transcript.sha256
        ),
        'sources', coalesce(ingested.sources, '[]'),
        'question', question.content,
        'earlier', coalesce((
            select jsonb_agg(jsonb_build_object('role', said.role, 'text', said.content) order by said.created_at)
            from (
                select messages.role, left(messages.content, 2000) as content, messages.created_at
                from public.chat_messages as messages
                where messages.session_id = question.session_id
                  and messages.created_at < question.created_at
                  and messages.role <> 'system'
                  and coalesce(messages.status, 'completed') = 'completed'
                order by messages.created_at desc
                limit 12
            ) as said
        ), '[]')
    ) as input,
    engine.estimate_writing(
        projects.writer, least(coalesce(episodes.duration_seconds, 0) * 3 + coalesce(ingested.words, 0), 12000), 500
    ) as estimate_gbp
from public.productions
join public.chat_messages as answer on answer.id = productions.subject_id
join public.chat_messages as question on question.id = answer.in_reply_to
join public.chat_sessions as session on session.id = question.session_id
join public.episodes on episodes.id = session.episode_id
join public.projects on projects.id = episodes.project_id
left join public.assets as transcript on transcript.id = episodes.transcript_asset_id
left join engine.ingested_sources as ingested on ingested.production_id = episodes.generation_job_id
where productions.kind = 'answer';

create function engine.project_onto_answer()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    update public.chat_messages
    set status = new.status,
        error = coalesce(new.error, case when new.status = 'cancelled' then 'Cancelled.' end)
    where chat_messages.id = new.subject_id;
    return null;
end
$$;

create trigger answer_shows_production
    after update of status, error on public.productions
    for each row
    when (new.kind = 'answer' and (new.status, new.error) is distinct from (old.status, old.error))
    execute function engine.project_onto_answer();

create trigger productions_of_deleted_answers_are_forgotten
    after delete on public.chat_messages
    referencing old table as gone
    for each statement execute function engine.forget_productions_of_deleted();

revoke execute on function engine.project_onto_answer() from public;

-- Asking ---------------------------------------------------------------------------------------------------------------

-- How many questions an organization has asked today; asking counts under a lock, so that two cannot share the last one.
create function private.check_questions_left(p_organization uuid)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    allowed integer;
    asked integer;
begin
    perform pg_advisory_xact_lock(hashtextextended('questions of ' || p_organization, 0));
    select limits.questions_daily into allowed
    from public.organizations
    join public.tier_limits as limits on limits.tier = organizations.tier
    where organizations.id = p_organization;
    select count(*) into asked
    from public.productions
    where productions.organization_id = p_organization
      and productions.created_at >= date_trunc('day', now(), 'UTC')
      and productions.kind = 'answer';
    if asked >= allowed then
        perform private.refuse('53400', format('question: all %s questions of today are asked', allowed),
            'Ask again tomorrow or change the tier.');
    end if;
end
$$;

-- The caller's own conversation, locked so that its questions come one after the other.
create function private.conversation_to_ask_in(p_session uuid)
    returns public.chat_sessions
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    session public.chat_sessions;
begin
    select * into session
    from public.chat_sessions
    where chat_sessions.id = p_session
      and chat_sessions.user_id = (select auth.uid())
      and chat_sessions.organization_id in (select private.my_organizations())
      and chat_sessions.deleted_at is null
    for no key update;
    if not found then
        perform private.refuse('P0002', format('session_id: %s does not exist', coalesce(p_session::text, 'null')));
    end if;
    return session;
end
$$;

create function private.check_can_be_asked(p_session public.chat_sessions)
    returns void
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
begin
    if p_session.episode_id is null then
        perform private.refuse('22023', 'session_id: the conversation is about no episode',
            'Begin one with the episode''s id.');
    end if;
    if not exists (
        select
        from public.episodes
        join public.projects on projects.id = episodes.project_id
        where episodes.id = p_session.episode_id
          and episodes.deleted_at is null
          and projects.deleted_at is null
    ) then
        perform private.refuse('P0002', 'session_id: the episode of this conversation is deleted');
    end if;
    if not exists (select from public.spoken_lines where spoken_lines.episode_id = p_session.episode_id) then
        perform private.refuse('55000', 'session_id: the episode has nothing to ask about yet',
            'Wait until it is made; rebuild an old one from master_episode.');
    end if;
    if exists (
        select
        from public.chat_messages
        where chat_messages.session_id = p_session.id
          and chat_messages.status in ('queued', 'running', 'waiting')
    ) then
        perform private.refuse('55000', 'session_id: the last question is still being answered',
            'Wait for the answer, or cancel it.');
    end if;
end
$$;

create function private.ask_question(p_session uuid, p_question text, p_idempotency_key text)
    returns uuid
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    session public.chat_sessions := private.conversation_to_ask_in(p_session);
    asked text := btrim(p_question, E' \t\r\n');
    before record;
    question_id uuid;
    answer_id uuid;
    submitted record;
begin
    if p_idempotency_key is null or length(p_idempotency_key) not between 1 and 200 then
        perform private.refuse('22023', 'idempotency_key: 1 to 200 characters are needed',
            'Use a new random key for each new question, and the same one to repeat it.');
    end if;
    if asked is null or length(asked) not between 1 and 2000 then
        perform private.refuse('22023', 'question: 1 to 2000 characters are needed');
    end if;
    -- Repeating a question is answered before limits are looked at: it asks for nothing new.
    select productions.subject_id, answer.session_id, question.content into before
    from public.productions
    left join public.chat_messages as answer on answer.id = productions.subject_id
    left join public.chat_messages as question on question.id = answer.in_reply_to
    where productions.organization_id = session.organization_id
      and productions.idempotency_key = p_idempotency_key;
    if found then
        if (before.session_id, before.content) is distinct from (p_session, asked) then
            perform private.refuse('23505', 'idempotency_key: it was used for another request',
                'Use a new key for a new question.');
        end if;
        return before.subject_id;
    end if;
    perform private.check_can_be_asked(session);
    perform private.check_questions_left(session.organization_id);

    insert into public.chat_messages (organization_id, session_id, content)
    values (session.organization_id, p_session, asked)
    returning id into question_id;
    insert into public.chat_messages (organization_id, session_id, role, content, in_reply_to, status)
    values (session.organization_id, p_session, 'assistant', '', question_id, 'queued')
    returning id into answer_id;
    select * into submitted
    from engine.submit(
        session.organization_id, 'answer', answer_id, p_idempotency_key, (select auth.uid()), false
    );
    perform private.note_event(session.organization_id, 'question_asked', jsonb_build_object(
        'production_id', submitted.production_id, 'episode_id', session.episode_id
    ));
    return answer_id;
end
$$;

-- Whoever asked may stop the answer, whatever their role.
create function private.cancel_answer(p_answer uuid)
    returns boolean
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production uuid;
begin
    select productions.id into production
    from public.chat_messages as answer
    join public.chat_sessions as session on session.id = answer.session_id
    join public.productions on productions.subject_id = answer.id
    where answer.id = p_answer
      and session.user_id = (select auth.uid())
      and session.organization_id in (select private.my_organizations());
    if production is null then
        perform private.refuse('P0002', format('answer_id: %s does not exist', coalesce(p_answer::text, 'null')));
    end if;
    return engine.cancel(production);
end
$$;

-- Ask about the episode of a conversation. Returns the id of the answer's message, which fills while it is written;
-- the same key gives the same answer.
create function public.ask_question(session_id uuid, question text, idempotency_key text)
    returns uuid
    language sql
    set search_path = ''
as $$
    select private.ask_question(session_id, question, idempotency_key)
$$;

-- Stop an answer of one's own. True when it was still being written.
create function public.cancel_answer(answer_id uuid)
    returns boolean
    language sql
    set search_path = ''
as $$
    select private.cancel_answer(answer_id)
$$;

revoke execute on function
    private.check_questions_left, private.conversation_to_ask_in, private.check_can_be_asked, private.ask_question,
    private.cancel_answer, public.ask_question, public.cancel_answer
    from public, anon;
grant execute on function
    private.ask_question, private.cancel_answer, public.ask_question, public.cancel_answer
    to authenticated;

-- Live text ------------------------------------------------------------------------------------------------------------

-- Each step of an answer is broadcast on the private topic `conversation:<session>`, where Supabase Realtime exists.
create function private.broadcast_answer()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is not null then
        execute 'select realtime.send($1, $2, $3, true)' using
            jsonb_build_object(
                'id', new.id,
                'in_reply_to', new.in_reply_to,
                'status', new.status,
                'content', new.content,
                'citations', new.citations,
                'error', new.error
            ),
            'answer_changed',
            'conversation:' || new.session_id;
    end if;
    return null;
end
$$;

revoke execute on function private.broadcast_answer() from public;

create trigger answers_are_broadcast
    after insert or update of content, status, citations, error on public.chat_messages
    for each row
    when (new.in_reply_to is not null)
    execute function private.broadcast_answer();

do $$
begin
    if to_regclass('realtime.messages') is not null then
        execute $policy$
            create policy "People follow their own conversations" on realtime.messages
                for select to authenticated
                using (
                    realtime.topic() in (
                        select 'conversation:' || chat_sessions.id
                        from public.chat_sessions
                        where chat_sessions.user_id = (select auth.uid())
                          and chat_sessions.organization_id in (select private.my_organizations())
                    )
                )
        $policy$;
    end if;
end
$$;
