-- What an app shows first: the newest productions of all the caller's organizations. Left to row-level security alone,
-- Postgres sorts everything that the caller may see. Asked of each organization by itself, an index gives its newest.

-- The same for files of whatever kind, which the API lists.
create index assets_newest_first on public.assets (organization_id, created_at desc, id);

create function public.my_productions(
    page_size integer default 20,
    before_created_at timestamptz default null,
    before_id uuid default null
)
returns setof public.productions
language plpgsql
stable
set search_path = ''
as $$
declare
    most constant integer := 100;
    -- A variable: an expression in its place may leak rows, for all Postgres knows, and would not be asked of the index.
    latest constant timestamptz := coalesce(before_created_at, 'infinity');
begin
    if page_size is null or page_size not between 1 and most then
        raise exception 'page_size: 1 to %, not %', most, coalesce(page_size::text, 'null')
            using errcode = 'invalid_parameter_value';
    end if;
    if before_id is not null and before_created_at is null then
        raise exception 'before_created_at: before_id says nothing without it'
            using errcode = 'invalid_parameter_value',
                hint = 'Give created_at and id of the last row of the page before.';
    end if;
    return query
    select newest.*
    from private.memberships as membership
    cross join lateral (
        select productions.*
        from public.productions
        where productions.organization_id = membership.organization_id
            and productions.created_at <= latest
            and (
                before_created_at is null
                or productions.created_at < before_created_at
                or productions.id > before_id
            )
        order by productions.created_at desc, productions.id
        limit page_size
    ) as newest
    order by newest.created_at desc, newest.id
    limit page_size;
end
$$;
comment on function public.my_productions(integer, timestamptz, uuid) is
    'The newest productions that the caller may see, newest first; the next page comes before the last one''s created_at and id.';

revoke execute on function public.my_productions(integer, timestamptz, uuid) from public, anon;
grant execute on function public.my_productions(integer, timestamptz, uuid) to authenticated;
