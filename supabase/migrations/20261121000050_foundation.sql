-- What every other migration stands on: the schemas that are not exposed, the role that Lambdas work as, and helpers for
-- tables: times of change, soft delete, grants.

create schema private;
comment on schema private is 'Helpers of policies and triggers. Not exposed through the API.';
create schema engine;
comment on schema engine is 'The job engine''s own tables and functions. Not exposed through the API.';

do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'showrunner_worker') then
        create role showrunner_worker nologin;
    end if;
    execute format('grant showrunner_worker to %I', current_user);
end
$$;
grant usage on schema public, private, engine to showrunner_worker;
grant usage on schema private to authenticated, service_role;
grant usage on schema engine to service_role;

create function private.touch_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

-- Soft delete: whoever may write deleted_at can neither choose its time nor put it in another's name.
create function private.stamp_deletion()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if new.deleted_at is null then
        new.deleted_by := null;
    elsif tg_op = 'INSERT' or old.deleted_at is null then
        new.deleted_at := now();
        new.deleted_by := coalesce((select auth.uid()), new.deleted_by);
    else
        new.deleted_at := old.deleted_at;
        new.deleted_by := old.deleted_by;
    end if;
    return new;
end
$$;

-- What Lambdas may do with a table: the grant, and a policy for each command, since the worker does not bypass RLS.
create function private.let_worker(target regclass, variadic commands text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
    command text;
    conditions text;
begin
    foreach command in array commands loop
        conditions := case lower(command)
            when 'select' then 'using (true)'
            when 'delete' then 'using (true)'
            when 'insert' then 'with check (true)'
            when 'update' then 'using (true) with check (true)'
        end;
        if conditions is null then
            raise exception 'let_worker: "%" is not one of select, insert, update, delete', command;
        end if;
        execute format('grant %s on %s to showrunner_worker', command, target);
        execute format(
            'create policy %I on %s for %s to showrunner_worker %s',
            'workers may ' || lower(command), target, command, conditions
        );
    end loop;
end
$$;

revoke execute on all functions in schema private from public;
