drop function if exists
    engine.finish_webhook, engine.claim_webhooks, engine.fail_webhook, engine.move_webhooks_behind,
    engine.webhook_endpoints_due, engine.webhook_delays;

create or replace function engine.prune_history(p_older_than interval, p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    before timestamptz := clock_timestamp() - p_older_than;
    removed integer := 0;
    changed integer;
    history text;
begin
    foreach history in array '{audit_log,user_events,webhook_deliveries}'::text[] loop
        execute format(
            'delete from public.%1$I where ctid in (select ctid from public.%1$I where created_at < $1 limit $2)', history
        ) using before, p_limit;
        get diagnostics changed = row_count;
        removed := greatest(removed, changed);
    end loop;
    delete from public.episode_schedule_queue as slot
    where slot.id in (
        select old.id
        from public.episode_schedule_queue as old
        where old.created_at < before
          and old.status in ('completed', 'skipped', 'failed')
        limit p_limit
    );
    get diagnostics changed = row_count;
    return greatest(removed, changed);
end
$$;
