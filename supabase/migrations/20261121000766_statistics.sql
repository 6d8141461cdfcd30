-- Statistics: the few figures that tell an operator whether the database is well, in one call.

create function engine.statistics()
    returns jsonb
    language sql
    stable
    security definer
    set search_path = ''
as $$
    select jsonb_build_object(
        'database_bytes', pg_database_size(current_database()),
        'tables', (
            select coalesce(jsonb_agg(to_jsonb(largest) order by largest.bytes desc), '[]')
            from (
                select
                    tables.schemaname || '.' || tables.relname as name,
                    pg_total_relation_size(tables.relid) as bytes,
                    tables.n_live_tup as live_rows,
                    tables.n_dead_tup as dead_rows,
                    greatest(tables.last_vacuum, tables.last_autovacuum) as vacuumed_at
                from pg_catalog.pg_stat_all_tables as tables
                where tables.schemaname in ('public', 'engine')
                order by pg_total_relation_size(tables.relid) desc, tables.relid
                limit 10
            ) as largest
        ),
        -- What a role may not see of others' sessions has no state.
        'connections', (
            select jsonb_object_agg(counted.state, counted.sessions)
            from (
                select coalesce(activity.state, 'unknown') as state, count(*) as sessions
                from pg_catalog.pg_stat_activity as activity
                where activity.datname = current_database()
                group by 1
            ) as counted
        ),
        'most_connections', current_setting('max_connections')::integer,
        'oldest_transaction_seconds', (
            select coalesce(extract(epoch from max(clock_timestamp() - activity.xact_start)), 0)::float8
            from pg_catalog.pg_stat_activity as activity
            where activity.datname = current_database()
              and activity.pid <> pg_backend_pid()
        ),
        'jobs', jsonb_build_object(
            'queued', (select count(*) from public.jobs where jobs.status = 'queued'),
            'running', (select count(*) from public.jobs where jobs.status = 'running'),
            'parked', (select count(*) from public.jobs where jobs.status = 'parked' and jobs.hold in ('slot', 'budget')),
            'overdue', (
                select count(*) from public.jobs where jobs.status = 'queued' and jobs.due_at <= clock_timestamp()
            ),
            'oldest_due_seconds', (
                select coalesce(extract(epoch from clock_timestamp() - min(jobs.due_at)), 0)::float8
                from public.jobs
                where jobs.status = 'queued'
                  and jobs.due_at <= clock_timestamp()
            ),
            'lost_leases', (
                select count(*) from public.jobs where jobs.status = 'running' and jobs.lease_until < clock_timestamp()
            )
        ),
        'files_to_delete', (select count(*) from engine.file_deletions)
    )
$$;
comment on function engine.statistics() is
    'Sizes, dead rows, connections by state, the oldest transaction, jobs by state; all organizations together.';

revoke execute on function engine.statistics() from public;
grant execute on function engine.statistics() to showrunner_worker;
