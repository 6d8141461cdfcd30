-- What is heard in a finished episode, line by line. Blocks can be edited after the audio was made; these rows tell what
-- the audio says, and when: chat answers, highlights and clips stand on them.

create table public.spoken_lines (
    episode_id uuid not null,
    position integer not null check (position >= 0),
    organization_id uuid not null,
    block_id uuid not null,
    section text not null default '',
    speaker text not null,
    text text not null,
    start_seconds numeric(10, 3) not null check (start_seconds >= 0),
    end_seconds numeric(10, 3) not null,
    primary key (episode_id, position),
    foreign key (organization_id, episode_id) references public.episodes (organization_id, id) on delete cascade,
    constraint end_seconds_is_after_start_seconds check (end_seconds > start_seconds)
);
comment on table public.spoken_lines is 'The lines of an episode as its audio says them, with their times. Written by master_episode.';
comment on column public.spoken_lines.block_id is 'The block that was spoken. No reference: the block may have been removed since.';
comment on column public.spoken_lines.text is 'What is said, without markup.';
create index spoken_lines_organization_id on public.spoken_lines (organization_id, episode_id);

revoke all on public.spoken_lines from anon, authenticated;
grant select on public.spoken_lines to authenticated;
grant select, insert, update, delete on public.spoken_lines to service_role;

alter table public.spoken_lines enable row level security;
select private.let_members('public.spoken_lines', 'viewer', 'select');
select private.let_worker('public.spoken_lines', 'select', 'insert', 'delete');

-- A production whose subject is gone tells nobody anything. Triggers on tables of subjects call it for deleted rows;
-- where a job is running it stays, since a running job holds a place and a reservation that only its own end gives back.
create function engine.forget_productions_of_deleted()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    forgotten uuid[] := array(
        select productions.id
        from public.productions
        join gone on gone.id = productions.subject_id
        where not exists (
            select
            from public.jobs
            where jobs.production_id = productions.id
              and jobs.status = 'running'
        )
    );
begin
    delete from public.assets where assets.production_id = any (forgotten);
    delete from public.productions where productions.id = any (forgotten);
    return null;
end
$$;

revoke execute on function engine.forget_productions_of_deleted() from public;
