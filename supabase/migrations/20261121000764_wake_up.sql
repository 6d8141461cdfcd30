-- Wake-up: where `pg_net` and two secrets exist, a request made by RPC wakes the API at once, which sends what is due.
-- Elsewhere nothing changes: the next sweep sends it. The call is asynchronous (pg_net sends it after the commit), and
-- whatever goes wrong with it is no reason to refuse the request.

create function private.wake_api()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    address text;
    secret text;
begin
    if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null
        or to_regclass('vault.decrypted_secrets') is null
        -- At the end of the transaction: whoever sends the jobs itself has taken them by now.
        or not exists (
            select
            from public.jobs
            where jobs.production_id = new.id
              and jobs.status = 'queued'
              and jobs.due_at <= clock_timestamp()
        )
    then
        return null;
    end if;
    begin
        execute $sql$
            select
                max(secrets.decrypted_secret) filter (where secrets.name = 'showrunner_api_url'),
                max(secrets.decrypted_secret) filter (where secrets.name = 'showrunner_operator_key')
            from vault.decrypted_secrets as secrets
            where secrets.name in ('showrunner_api_url', 'showrunner_operator_key')
        $sql$ into address, secret;
        if address <> '' and secret <> '' then
            execute 'select net.http_post(url := $1, headers := $2, timeout_milliseconds := 5000)' using
                rtrim(address, '/') || '/wake',
                jsonb_build_object('authorization', 'Bearer ' || secret, 'content-type', 'application/json');
        end if;
    exception
        when others then
            raise log 'the API was not woken: %', sqlerrm;
    end;
    return null;
end
$$;
comment on function private.wake_api() is
    'Calls POST /wake of the API (vault: showrunner_api_url, showrunner_operator_key) when jobs are due at commit.';

revoke execute on function private.wake_api() from public;

create constraint trigger new_requests_wake_the_api
    after insert on public.productions
    deferrable initially deferred
    for each row
    when (new.status in ('queued', 'running'))
    execute function private.wake_api();

-- A rebuild, a retry or an approval; not the moves of a production that runs.
create constraint trigger resumed_productions_wake_the_api
    after update of status on public.productions
    deferrable initially deferred
    for each row
    when (old.status not in ('queued', 'running') and new.status in ('queued', 'running'))
    execute function private.wake_api();
