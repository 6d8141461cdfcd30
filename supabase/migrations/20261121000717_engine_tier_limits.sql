-- A tier's limits reach its organizations, and an operator's word stands until the organization changes its tier.

alter table engine.organization_limits add column set_by_operator boolean not null default false;

comment on column engine.organization_limits.set_by_operator is
    'Set by any direct change of the limits: the tier''s no longer reach it. Set it to false to follow the tier again.';

-- Limits that are not the tier's were set by an operator.
update engine.organization_limits as limits
set set_by_operator = true
from public.organizations
join public.tier_limits on tier_limits.tier = organizations.tier
where organizations.id = limits.organization_id
  and (limits.max_running_jobs, limits.daily_budget_gbp)
      is distinct from (tier_limits.max_running_jobs, tier_limits.daily_budget_gbp);

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
        daily_budget_gbp = excluded.daily_budget_gbp,
        set_by_operator = false;
    return null;
end
$$;

create function engine.follow_tier_limits()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    -- In one order, so that two such changes cannot deadlock.
    perform
    from engine.organization_limits as limits
    join public.organizations on organizations.id = limits.organization_id
    where organizations.tier = new.tier
      and not limits.set_by_operator
    order by limits.organization_id
    for no key update of limits;
    update engine.organization_limits as limits
    set max_running_jobs = new.max_running_jobs,
        daily_budget_gbp = new.daily_budget_gbp
    from public.organizations
    where organizations.id = limits.organization_id
      and organizations.tier = new.tier
      and not limits.set_by_operator;
    return null;
end
$$;

create trigger organizations_follow_tier_limits
    after update of max_running_jobs, daily_budget_gbp on public.tier_limits
    for each row
    when ((new.max_running_jobs, new.daily_budget_gbp) is distinct from (old.max_running_jobs, old.daily_budget_gbp))
    execute function engine.follow_tier_limits();

create function engine.note_operator()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    if old.set_by_operator and not new.set_by_operator then
        select tier_limits.max_running_jobs, tier_limits.daily_budget_gbp
        into strict new.max_running_jobs, new.daily_budget_gbp
        from public.organizations
        join public.tier_limits on tier_limits.tier = organizations.tier
        where organizations.id = new.organization_id;
    elsif (new.max_running_jobs, new.daily_budget_gbp) is distinct from (old.max_running_jobs, old.daily_budget_gbp) then
        new.set_by_operator := true;
    end if;
    return new;
end
$$;

-- Not where a tier's own trigger makes the change.
create trigger operators_are_noted
    before update on engine.organization_limits
    for each row
    when (pg_catalog.pg_trigger_depth() = 0)
    execute function engine.note_operator();

revoke execute on all functions in schema engine from public;
