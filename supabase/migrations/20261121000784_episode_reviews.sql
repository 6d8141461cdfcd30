-- After an episode is finished it is looked at once more: passages worth marking are proposed, and what the show should
-- remember is written down. A production of its own, kind `episode_review`: the episode is published by then, and stays
-- so whatever becomes of the review.

create table public.episode_reviews (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null,
    episode_id uuid not null,
    transcript_sha256 text not null,
    status public.production_status not null default 'queued',
    error text,
    created_at timestamptz not null default clock_timestamp(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    foreign key (project_id, episode_id) references public.episodes (project_id, id) on delete cascade
);
comment on table public.episode_reviews is
    'A look back at a finished episode: it proposes highlights, and notes what the show should remember.';
comment on column public.episode_reviews.transcript_sha256 is 'What was heard then: a build that changes none of it is not reviewed again.';
create index episode_reviews_organization_id on public.episode_reviews (organization_id, project_id);
create index episode_reviews_project_id on public.episode_reviews (project_id, episode_id, created_at desc);

revoke all on public.episode_reviews from anon, authenticated;
grant select on public.episode_reviews to authenticated;
grant select, insert, update, delete on public.episode_reviews to service_role;

alter table public.episode_reviews enable row level security;
select private.let_members('public.episode_reviews', 'viewer', 'select');
select private.let_worker('public.episode_reviews', 'select');

-- A highlight without a user is a proposal. Editors may note something on it, or dismiss it.
alter table public.highlights alter column user_id drop not null;
comment on table public.highlights is 'Passages of an episode that members marked, or that its review proposed.';
comment on column public.highlights.user_id is 'Who marked it; null for a proposal.';

alter policy "people change their own highlights" on public.highlights
    using (
        organization_id in (select private.my_organizations())
        and (
            user_id = (select auth.uid())
            or (user_id is null and organization_id in (select private.my_organizations('editor')))
        )
    )
    with check (
        organization_id in (select private.my_organizations())
        and (
            user_id = (select auth.uid())
            or (user_id is null and organization_id in (select private.my_organizations('editor')))
        )
    );
select private.let_worker('public.highlights', 'insert', 'update');

-- The pipeline ---------------------------------------------------------------------------------------------------------

insert into engine.pipelines (kind, stage, position, after, weight, desired_jobs) values
    ('episode_review', 'review_episode', 1, '{}', 1, 'engine.desired_review_episode');

create view engine.desired_review_episode with (security_invoker = true) as
select
    productions.id as production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'review.v1',
        'writer', projects.writer,
        'language', projects.language,
        'show', projects.name,
        'project_id', review.project_id,
        'episode', jsonb_build_object(
            'id', episodes.id,
            'title', episodes.title,
            'summary', episodes.summary,
            'transcript_sha256', review.transcript_sha256
        ),
        'remembered', coalesce((
            select jsonb_agg(left(known.content, 300) order by known.created_at desc, known.id)
            from (
                select memories.id, memories.content, memories.created_at
                from public.agent_memories as memories
                where memories.project_id = review.project_id
                  and (memories.episode_id is distinct from review.episode_id or not memories.learned)
                order by memories.created_at desc, memories.id
                limit 100
            ) as known
        ), '[]')
    ) as input,
    engine.estimate_writing(projects.writer, coalesce(episodes.duration_seconds, 0) * 3 + 1000, 700) as estimate_gbp
from public.productions
join public.episode_reviews as review on review.id = productions.subject_id
join public.episodes on episodes.id = review.episode_id
join public.projects on projects.id = review.project_id
where productions.kind = 'episode_review';

-- Each build that changed what is heard has a review. It is submitted in the transaction that completes the build, so
-- none is forgotten; its row and its jobs are new, so nobody waits for them.
create function engine.review_finished_episode()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    review uuid;
begin
    insert into public.episode_reviews (organization_id, project_id, episode_id, transcript_sha256)
    select episodes.organization_id, episodes.project_id, episodes.id, transcript.sha256
    from public.episodes
    join public.assets as transcript on transcript.id = episodes.transcript_asset_id
    where episodes.id = new.subject_id
      and exists (select from public.spoken_lines where spoken_lines.episode_id = episodes.id)
      and not exists (
          select
          from public.episode_reviews as earlier
          where earlier.episode_id = episodes.id
            and earlier.project_id = episodes.project_id
            and earlier.transcript_sha256 = transcript.sha256
            and earlier.status not in ('failed', 'cancelled')
      )
    returning id into review;
    if review is not null then
        perform engine.submit(
            new.organization_id, 'episode_review', review, format('review of %s, build %s', new.id, new.build),
            new.requested_by, false
        );
    end if;
    return null;
end
$$;

create trigger finished_episode_is_reviewed
    after update of status on public.productions
    for each row
    when (new.kind = 'episode' and new.status = 'completed' and old.status <> 'completed')
    execute function engine.review_finished_episode();

create function engine.project_onto_review()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    update public.episode_reviews
    set status = new.status,
        error = coalesce(new.error, case when new.status = 'cancelled' then 'Cancelled.' end)
    where episode_reviews.id = new.subject_id;
    return null;
end
$$;

create trigger review_shows_production
    after update of status, error on public.productions
    for each row
    when (new.kind = 'episode_review' and (new.status, new.error) is distinct from (old.status, old.error))
    execute function engine.project_onto_review();

create trigger productions_of_deleted_reviews_are_forgotten
    after delete on public.episode_reviews
    referencing old table as gone
    for each statement execute function engine.forget_productions_of_deleted();

revoke execute on function engine.review_finished_episode(), engine.project_onto_review() from public;

select private.index_policies();
