-- Health: what an operator wants to know of the database at a glance, in one cheap call.

create function engine.health()
    returns table (migration text)
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
begin
    -- The Supabase CLI and the laptop edition record versions in the same table.
    return query select max(applied.version)::text from supabase_migrations.schema_migrations as applied;
end
$$;
comment on function engine.health() is 'The newest migration applied. Answers only when the database does.';

revoke all on function engine.health() from public;
grant execute on function engine.health() to showrunner_worker;
