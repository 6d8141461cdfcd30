drop function if exists
    public.rotate_webhook_secret, public.create_webhook_endpoint,
    private.rotate_webhook_secret, private.create_webhook_endpoint, private.webhook_endpoint_for;
drop trigger if exists give_secret on public.webhook_endpoints;
drop trigger if exists take_what_is_allowed on public.webhook_endpoints;
drop function if exists
    private.give_webhook_secret, private.check_webhook_endpoint, private.check_webhook_event_types,
    private.check_webhook_url, private.new_webhook_secret, private.webhook_event_types;

alter table public.webhook_endpoints
    add column secret text not null default 'whsec_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
comment on column public.webhook_endpoints.secret is 'Signs each delivery, so that the receiver can tell it from a forgery.';
update public.webhook_endpoints
set secret = secrets.secret
from engine.webhook_secrets as secrets
where secrets.endpoint_id = webhook_endpoints.id
  and secrets.expires_at is null;
drop table engine.webhook_secrets;

alter table public.webhook_endpoints
    drop column failing_since,
    drop column disabled_at,
    drop column disabled_reason;
comment on table public.webhook_endpoints is 'Where an organization wants to hear of its productions. Admins alone see them, since each holds its secret.';
comment on column public.webhook_endpoints.is_active is null;
comment on column public.webhook_endpoints.consecutive_failures is null;

create policy "admins add webhook endpoints" on public.webhook_endpoints
    for insert to authenticated
    with check (organization_id in (select private.my_organizations('admin')));
grant insert (organization_id, url, description, event_types, is_active) on public.webhook_endpoints to authenticated;
