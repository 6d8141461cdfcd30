-- What private.wake_api looks for, of pg_net and the vault, with a NOTIFY in place of the call. May run again.

create schema if not exists net;
create schema if not exists vault;
create or replace function net.http_post(
    url text,
    body jsonb default '{}',
    params jsonb default '{}',
    headers jsonb default '{}',
    timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql
set search_path = ''
as $$
begin
    notify showrunner_wake_up;
    return 0;
end
$$;
revoke execute on function net.http_post from public;
create or replace view vault.decrypted_secrets as
    select secret.name, secret.decrypted_secret
    from (
        values
            ('showrunner_api_url', 'http://laptop'),
            ('showrunner_operator_key', 'not used')
    ) as secret (name, decrypted_secret);
