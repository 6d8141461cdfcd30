-- A highlight as a clip: its audio cut from the finished episode, and its words. The highlight is the subject of a
-- production of kind `highlight_clip`; asking again makes the clip anew, from the episode as it is then.

alter table public.highlights
    add column clip_status public.production_status,
    add column clip_error text,
    add column clip_asset_id uuid references public.assets (id) on delete set null,
    add column clip_text text;
comment on column public.highlights.clip_status is 'Where the clip''s production is; null when none was asked for.';
comment on column public.highlights.clip_asset_id is 'The clip''s audio.';
comment on column public.highlights.clip_text is 'What is said in the clip, a line per speaker.';
create index highlights_clip_asset_id on public.highlights (clip_asset_id) where clip_asset_id is not null;

insert into engine.pipelines (kind, stage, position, after, weight, desired_jobs) values
    ('highlight_clip', 'cut_highlight', 1, '{}', 1, 'engine.desired_cut_highlight');

-- Where a highlight is in the audio: where it was marked, else where its line is heard.
create view engine.highlights_in_audio with (security_invoker = true) as
select
    highlights.id as highlight_id,
    highlights.episode_id,
    highlights.quote,
    coalesce(highlights.start_seconds, line.start_seconds) as start_seconds,
    coalesce(highlights.end_seconds, line.end_seconds) as end_seconds
from public.highlights
left join lateral (
    select min(spoken_lines.start_seconds) as start_seconds, max(spoken_lines.end_seconds) as end_seconds
    from public.spoken_lines
    where spoken_lines.episode_id = highlights.episode_id
      and spoken_lines.block_id = highlights.block_id
) as line on true;

create view engine.desired_cut_highlight with (security_invoker = true) as
select
    productions.id as production_id,
    '' as key,
    jsonb_build_object(
        'highlight_id', place.highlight_id,
        'audio', jsonb_build_object('id', audio.id, 'key', audio.key, 'sha256', audio.sha256),
        'audio_seconds', audio.duration_seconds,
        'show', projects.name,
        'author', projects.author,
        'title', episodes.title,
        'quote', place.quote,
        'start_seconds', place.start_seconds,
        'end_seconds', place.end_seconds,
        -- The lines in it, and their neighbours: a cut is best made in the pause between two.
        'lines', coalesce((
            select jsonb_agg(jsonb_build_object(
                'speaker', lines.speaker,
                'text', lines.text,
                'start_seconds', lines.start_seconds,
                'end_seconds', lines.end_seconds
            ) order by lines.position)
            from public.spoken_lines as lines
            where lines.episode_id = place.episode_id
              and lines.end_seconds > place.start_seconds - 3
              and lines.start_seconds < place.end_seconds + 3
        ), '[]')
    ) as input,
    0::numeric as estimate_gbp
from public.productions
join engine.highlights_in_audio as place on place.highlight_id = productions.subject_id
join public.episodes on episodes.id = place.episode_id
join public.projects on projects.id = episodes.project_id
join public.assets as audio on audio.id = episodes.audio_asset_id
where productions.kind = 'highlight_clip';

create function private.check_highlight_request(p_highlight uuid)
    returns void
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    place record;
begin
    select where_heard.*, episodes.audio_asset_id, audio.duration_seconds, episodes.deleted_at into place
    from engine.highlights_in_audio as where_heard
    join public.episodes on episodes.id = where_heard.episode_id
    left join public.assets as audio on audio.id = episodes.audio_asset_id
    where where_heard.highlight_id = p_highlight;
    if place.deleted_at is not null then
        perform private.refuse('P0002', 'highlight_id: the episode of this highlight is deleted');
    elsif place.audio_asset_id is null then
        perform private.refuse('55000', 'highlight_id: the episode has no audio yet', 'Wait until it is made.');
    elsif place.start_seconds is null then
        perform private.refuse('22023', 'highlight_id: it has no times, and no line that is heard in the episode',
            'Mark a passage with start_seconds and end_seconds, or a line of the script.');
    elsif place.end_seconds - place.start_seconds not between 1 and 600 then
        perform private.refuse('22023', format('highlight_id: it lasts %s seconds; 1 to 600 are allowed',
            place.end_seconds - place.start_seconds));
    elsif place.end_seconds > place.duration_seconds + 1 then
        perform private.refuse('22023', format('highlight_id: it ends at %s seconds, the episode at %s',
            place.end_seconds, place.duration_seconds));
    end if;
end
$$;

insert into engine.kinds (kind, subjects, check_request) values
    ('highlight_clip', 'public.highlights', 'private.check_highlight_request');

create function engine.project_onto_highlight()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    update public.highlights
    set clip_status = new.status,
        clip_error = coalesce(new.error, case when new.status = 'cancelled' then 'Cancelled.' end)
    where highlights.id = new.subject_id;
    return null;
end
$$;

create trigger highlight_shows_new_production
    after insert on public.productions
    for each row
    when (new.kind = 'highlight_clip')
    execute function engine.project_onto_highlight();

create trigger highlight_shows_production
    after update of status, error on public.productions
    for each row
    when (new.kind = 'highlight_clip' and (new.status, new.error) is distinct from (old.status, old.error))
    execute function engine.project_onto_highlight();

create trigger productions_of_deleted_highlights_are_forgotten
    after delete on public.highlights
    referencing old table as gone
    for each statement execute function engine.forget_productions_of_deleted();

-- Ask for a highlight's clip. Returns the production; the clip shows on the highlight.
create function public.export_highlight(highlight_id uuid, idempotency_key text)
    returns uuid
    language sql
    set search_path = ''
as $$
    select private.request_production('highlight_clip', highlight_id, idempotency_key)
$$;

revoke execute on function private.check_highlight_request, engine.project_onto_highlight, public.export_highlight
    from public, anon;
grant execute on function public.export_highlight to authenticated;
