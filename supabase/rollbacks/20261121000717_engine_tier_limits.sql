-- Undoes limits that follow a changed tier.

drop trigger operators_are_noted on engine.organization_limits;
drop function engine.note_operator();
drop trigger organizations_follow_tier_limits on public.tier_limits;
drop function engine.follow_tier_limits();

create or replace function engine.follow_tier()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into engine.organization_limits (organization_id, max_running_jobs, daily_budget_gbp)
    select new.id, limits.max_running_jobs, limits.daily_budget_gbp
    from public.tier_limits as limits
    where limits.tier = new.tier
    on conflict (organization_id) do update
    set max_running_jobs = excluded.max_running_jobs,
        daily_budget_gbp = excluded.daily_budget_gbp;
    return null;
end
$$;

alter table engine.organization_limits drop column set_by_operator;
