-- Undoes the access to the episode line: policies, grants, row-level security.

do $$
declare
    name text;
    policy record;
begin
    foreach name in array array[
        'voices', 'voice_rates', 'projects', 'episodes', 'sources', 'source_items', 'blocks', 'planning_notes', 'feeds',
        'episode_schedule_queue'
    ] loop
        for policy in
            select policies.policyname
            from pg_catalog.pg_policies as policies
            where policies.schemaname = 'public' and policies.tablename = name
        loop
            execute format('drop policy %I on public.%I', policy.policyname, name);
        end loop;
        execute format('alter table public.%I disable row level security', name);
        execute format('revoke all on public.%I from anon, authenticated, service_role, showrunner_worker', name);
    end loop;
end
$$;
