drop trigger if exists nothing_more_is_sent on public.webhook_endpoints;
drop trigger if exists changes_of_status_are_told on public.productions;
drop trigger if exists requests_are_told on public.productions;
drop function if exists
    public.redeliver_webhook, public.send_test_webhook, private.redeliver_webhook, private.send_test_webhook,
    private.end_webhook_deliveries, private.note_webhooks, private.webhook_payload;

drop index public.webhook_deliveries_created_at;
drop index public.webhook_deliveries_under_way;
drop index public.webhook_deliveries_in_order;
drop index public.webhook_deliveries_due;
alter table public.webhook_deliveries
    drop constraint delivering_is_leased,
    drop column lease_until,
    drop column fails,
    drop column position,
    drop column production_id;
create index webhook_deliveries_due on public.webhook_deliveries (next_attempt_at) where status = 'pending';
comment on table public.webhook_deliveries is 'The outbox of webhooks: written with the change that it tells of, sent later.';
comment on column public.webhook_deliveries.event_id is null;
comment on column public.webhook_deliveries.attempts is null;
comment on column public.webhook_deliveries.next_attempt_at is null;
comment on column public.webhook_deliveries.error is null;

select private.let_worker('public.webhook_endpoints', 'update', 'delete');
select private.let_worker('public.webhook_deliveries', 'insert', 'update', 'delete');
