-- How an episode is made: its stages, what each stage should have, and how the production shows on the episode.

insert into engine.pipelines (kind, stage, position, after, weight, sticky, desired_jobs) values
    ('episode', 'ingest_sources', 1, '{}', 10, true, 'engine.desired_ingest_sources'),
    ('episode', 'write_outline', 2, '{ingest_sources}', 10, true, 'engine.desired_write_outline'),
    ('episode', 'write_script', 3, '{write_outline}', 15, true, 'engine.desired_write_script'),
    ('episode', 'speak_line', 4, '{write_script}', 40, false, 'engine.desired_speak_line'),
    ('episode', 'master_episode', 5, '{speak_line}', 20, false, 'engine.desired_master_episode'),
    ('episode', 'publish_episode', 6, '{master_episode}', 5, false, 'engine.desired_publish_episode');

-- A writer or voice reference is `<provider>/<name>`.
create function engine.provider_of(p_reference text)
    returns text
    language sql
    immutable
    set search_path = ''
as $$
    select split_part(p_reference, '/', 1)
$$;

create function engine.name_of(p_reference text)
    returns text
    language sql
    immutable
    set search_path = ''
as $$
    select substr(p_reference, strpos(p_reference, '/') + 1)
$$;

-- What a writing task of so many words in and out is expected to cost, at four tokens to three words.
create function engine.estimate_writing(p_writer text, p_words_in numeric, p_words_out numeric)
    returns numeric
    language sql
    stable
    set search_path = ''
as $$
    select round(
        (p_words_in + 1000) * 4 / 3 * engine.price(engine.provider_of(p_writer), engine.name_of(p_writer), 'input_token')
        + p_words_out * 4 / 3 * engine.price(engine.provider_of(p_writer), engine.name_of(p_writer), 'output_token'),
        6
    )
$$;

-- The episode under production with its show; what every view below starts from.
create view engine.episodes_in_production with (security_invoker = true) as
select
    productions.id as production_id,
    episodes.id as episode_id,
    episodes.number,
    episodes.title,
    episodes.summary,
    episodes.outline,
    coalesce(episodes.target_minutes, projects.target_minutes) as target_minutes,
    projects.id as project_id,
    projects.writer,
    projects.speakers,
    projects.language,
    projects.cover_asset_id,
    projects.name as show_name,
    projects.author,
    projects.description,
    jsonb_build_object(
        'name', projects.name,
        'description', projects.description,
        'format', projects.format,
        'language', projects.language,
        'speakers', projects.speakers,
        'memories', projects.memories
    ) as show
from public.productions
join public.episodes on episodes.id = productions.subject_id
join public.projects on projects.id = episodes.project_id
where productions.kind = 'episode';

create view engine.desired_ingest_sources with (security_invoker = true) as
select
    making.production_id,
    sources.id::text as key,
    jsonb_build_object(
        'source_id', sources.id,
        'kind', sources.kind,
        'title', sources.title,
        'url', sources.url,
        'content', sources.content,
        'upload_key', sources.upload_key,
        'language', making.language,
        'episode_id', making.episode_id,
        'used_guids', coalesce((
            select jsonb_agg(items.guid order by items.guid)
            from public.source_items as items
            where items.source_id = sources.id
              and items.used_in_episode_id <> making.episode_id
        ), '[]')
    ) as input,
    0::numeric as estimate_gbp
from engine.episodes_in_production as making
join public.sources
    on sources.project_id = making.project_id
    and (sources.episode_id is null or sources.episode_id = making.episode_id)
where sources.is_active
  and sources.deleted_at is null;

-- What ingestion gave, in the order in which the sources were added.
create view engine.ingested_sources with (security_invoker = true) as
select
    jobs.production_id,
    jsonb_agg(jobs.output - 'items' order by sources.created_at, sources.id) as sources,
    sum((jobs.output ->> 'words')::numeric) as words
from public.jobs
join public.sources on sources.id = jobs.key::uuid
where jobs.stage = 'ingest_sources'
  and jobs.status = 'succeeded'
group by jobs.production_id;

create view engine.desired_write_outline with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'outline.v1',
        'writer', making.writer,
        'show', making.show,
        'target_minutes', making.target_minutes,
        'sources', coalesce(ingested.sources, '[]'),
        'planning_notes', coalesce((
            select jsonb_agg(jsonb_build_object('id', notes.id, 'note', notes.note) order by notes.created_at, notes.id)
            from public.planning_notes as notes
            where notes.project_id = making.project_id
              and notes.deleted_at is null
              and (notes.status = 'pending' or notes.consumed_in_episode_id = making.episode_id)
        ), '[]'),
        'previous_titles', coalesce((
            select jsonb_agg(earlier.title order by earlier.number desc)
            from (
                select episodes.title, episodes.number
                from public.episodes
                where episodes.project_id = making.project_id
                  and episodes.id <> making.episode_id
                  and episodes.generation_status = 'completed'
                  and episodes.title <> ''
                  and episodes.deleted_at is null
                order by episodes.number desc
                limit 20
            ) as earlier
        ), '[]')
    ) as input,
    engine.estimate_writing(making.writer, coalesce(ingested.words, 0), 900) as estimate_gbp
from engine.episodes_in_production as making
left join engine.ingested_sources as ingested on ingested.production_id = making.production_id;

create view engine.desired_write_script with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'script.v1',
        'writer', making.writer,
        'show', making.show,
        'target_minutes', making.target_minutes,
        'outline', making.outline || jsonb_build_object('title', making.title, 'summary', making.summary),
        'sources', coalesce(ingested.sources, '[]'),
        'rates', (
            select jsonb_agg(jsonb_build_object(
                'voice', speaker.voice,
                'language', making.language,
                'characters_per_second', coalesce(
                    round(rates.characters / nullif(rates.seconds, 0), 2), voices.characters_per_second, 14.5
                )
            ) order by speaker.position)
            from rows from (jsonb_to_recordset(making.speakers) as (name text, voice text))
                with ordinality as speaker (name, voice, position)
            left join public.voices on voices.id = speaker.voice
            left join public.voice_rates as rates
                on rates.voice = speaker.voice and rates.language = making.language
        )
    ) as input,
    engine.estimate_writing(
        making.writer,
        coalesce(ingested.words, 0) * ceil(making.target_minutes / 5),
        making.target_minutes * 165
    ) as estimate_gbp
from engine.episodes_in_production as making
left join engine.ingested_sources as ingested on ingested.production_id = making.production_id;

create view engine.desired_speak_line with (security_invoker = true) as
select
    making.production_id,
    blocks.id::text as key,
    jsonb_build_object('text', blocks.markdown, 'voice', speaker.voice, 'language', making.language) as input,
    round(length(blocks.markdown) * engine.price(
        engine.provider_of(speaker.voice), engine.name_of(speaker.voice), 'character'
    ), 6) as estimate_gbp
from engine.episodes_in_production as making
join public.blocks on blocks.episode_id = making.episode_id
left join lateral (
    select speakers.voice
    from jsonb_to_recordset(making.speakers) as speakers (name text, voice text)
    where speakers.name = blocks.speaker
) as speaker on true;

create view engine.desired_master_episode with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'show', jsonb_build_object(
            'name', making.show_name,
            'author', making.author,
            'language', making.language,
            'description', making.description
        ),
        'episode', jsonb_build_object(
            'id', making.episode_id,
            'number', making.number,
            'title', making.title,
            'summary', making.summary
        ),
        'target_seconds', making.target_minutes * 60,
        'cover_key', (select assets.key from public.assets where assets.id = making.cover_asset_id),
        'lines', coalesce((
            select jsonb_agg(jsonb_build_object(
                'block_id', blocks.id,
                'section', blocks.section,
                'speaker', blocks.speaker,
                'text', blocks.markdown,
                'voice', jobs.input -> 'voice',
                'key', jobs.output -> 'asset' -> 'key',
                'sha256', jobs.output -> 'asset' -> 'sha256',
                'seconds', jobs.output -> 'seconds'
            ) order by blocks.position)
            from public.blocks
            join public.jobs
                on jobs.production_id = making.production_id
                and jobs.stage = 'speak_line'
                and jobs.key = blocks.id::text
                and jobs.status = 'succeeded'
            where blocks.episode_id = making.episode_id
        ), '[]')
    ) as input,
    0::numeric as estimate_gbp
from engine.episodes_in_production as making;

create view engine.desired_publish_episode with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'episode_id', making.episode_id,
        'project_id', making.project_id,
        'master', (
            select jobs.output
            from public.jobs
            where jobs.production_id = making.production_id
              and jobs.stage = 'master_episode'
              and jobs.key = ''
              and jobs.status = 'succeeded'
        )
    ) as input,
    0::numeric as estimate_gbp
from engine.episodes_in_production as making;

-- The episode's own words for where its production is.
create function engine.generation_status_of(p_status public.production_status, p_stage text)
    returns public.generation_status
    language sql
    immutable
    set search_path = ''
as $$
    select case
        when p_status = 'completed' then 'completed'
        when p_status in ('failed', 'cancelled') then 'failed'
        when p_status = 'queued' then 'pending'
        when p_stage in ('ingest_sources', 'write_outline') then 'generating_outline'
        when p_stage = 'write_script' then 'generating_script'
        when p_stage in ('speak_line', 'master_episode') then 'generating_audio'
        when p_stage = 'publish_episode' then 'uploading'
        else 'pending'
    end::public.generation_status
$$;

-- The engine knows productions, not episodes: this keeps the episode's columns true, in the same transaction.
create function engine.project_onto_episode()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    is_new_build boolean := tg_op = 'INSERT' or new.build > old.build;
    ends_badly boolean := new.status in ('failed', 'cancelled') and (tg_op = 'INSERT' or new.status <> old.status);
    message text := coalesce(new.error, case when new.status = 'cancelled' then 'Cancelled.' end);
begin
    update public.episodes
    set generation_status = engine.generation_status_of(new.status, new.current_stage),
        generation_progress = new.progress,
        generation_job_id = new.id,
        generation_error = message,
        generation_errors = case
            when ends_badly then coalesce(episodes.generation_errors, '[]') || jsonb_build_array(jsonb_build_object(
                'at', new.finished_at, 'build', new.build, 'code', new.error_code, 'message', message
            ))
            else episodes.generation_errors
        end,
        generation_attempts = episodes.generation_attempts + is_new_build::integer,
        generation_started_at = new.started_at,
        generation_completed_at = case when new.status = 'completed' then new.finished_at end
    where episodes.id = new.subject_id;

    -- Only a finished episode uses up what a feed had to offer.
    if new.status = 'completed' then
        update public.source_items
        set used_in_episode_id = new.subject_id
        from public.jobs
        cross join jsonb_array_elements(jobs.output -> 'items') as item
        where jobs.production_id = new.id
          and jobs.stage = 'ingest_sources'
          and jobs.status = 'succeeded'
          and source_items.source_id = jobs.key::uuid
          and source_items.guid = item ->> 'guid'
          and source_items.used_in_episode_id is null;
    end if;
    return null;
end
$$;

create trigger episode_shows_new_production
    after insert on public.productions
    for each row
    when (new.kind = 'episode')
    execute function engine.project_onto_episode();

create trigger episode_shows_production
    after update of status, current_stage, progress, build, error on public.productions
    for each row
    when (
        new.kind = 'episode'
        and (new.status, new.current_stage, new.progress, new.build, new.error)
            is distinct from (old.status, old.current_stage, old.progress, old.build, old.error)
    )
    execute function engine.project_onto_episode();

revoke execute on all functions in schema engine from public;
