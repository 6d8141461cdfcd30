-- What Supabase puts into every database before a project's first migration, as far as the migrations here rely on it:
-- roles, the schema auth with its users and the functions that read a request's claims. Run by the superuser; may run again.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['anon', 'authenticated', 'service_role', 'authenticator'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format(
                'create role %I nologin noinherit %s',
                role_name, case role_name when 'service_role' then 'bypassrls' else '' end
            );
        end if;
    end loop;
end
$$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres;

-- Nothing in public is exposed by itself: each migration grants what it means to.
revoke create on schema public from public;
grant usage on schema public to anon, authenticated, service_role;
grant create, usage on schema public to postgres;

create schema if not exists auth;
grant usage on schema auth to anon, authenticated, service_role, postgres;

create table if not exists auth.users (
    instance_id uuid,
    id uuid not null primary key,
    aud text,
    role text,
    email text unique,
    encrypted_password text,
    email_confirmed_at timestamptz,
    phone text unique,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    is_anonymous boolean not null default false,
    last_sign_in_at timestamptz,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    deleted_at timestamptz
);
grant all on auth.users to postgres;
grant select, insert, update, delete on auth.users to service_role;

create or replace function auth.jwt()
returns jsonb
language sql
stable
as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

create or replace function auth.uid()
returns uuid
language sql
stable
as $$
    select nullif(auth.jwt() ->> 'sub', '')::uuid
$$;

create or replace function auth.role()
returns text
language sql
stable
as $$
    select nullif(auth.jwt() ->> 'role', '')
$$;

create or replace function auth.email()
returns text
language sql
stable
as $$
    select nullif(auth.jwt() ->> 'email', '')
$$;
