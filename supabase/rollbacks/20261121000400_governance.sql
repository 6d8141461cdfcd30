-- Undoes governance.

drop trigger audit on public.organizations;
drop trigger audit on public.organization_members;
drop table public.webhook_deliveries, public.webhook_endpoints, public.user_events, public.audit_log;
drop function private.audit(regclass, text[]);
drop function private.write_audit_log();
drop function private.for_audit(jsonb);
drop type public.webhook_delivery_status;
drop type public.audit_action;
