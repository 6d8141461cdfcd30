drop trigger finished_episode_is_reviewed on public.productions;
drop trigger review_shows_production on public.productions;
drop function engine.review_finished_episode();
drop function engine.project_onto_review();
delete from public.productions where kind = 'episode_review';
drop view engine.desired_review_episode;
delete from engine.pipelines where kind = 'episode_review';
drop table public.episode_reviews;

drop policy "workers may insert" on public.highlights;
drop policy "workers may update" on public.highlights;
revoke insert, update on public.highlights from showrunner_worker;
alter policy "people change their own highlights" on public.highlights
    using (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()))
    with check (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));
delete from public.highlights where user_id is null;
alter table public.highlights alter column user_id set not null;
comment on table public.highlights is 'Passages that members marked in an episode.';
comment on column public.highlights.user_id is null;
