-- Live progress: each change of a production is broadcast on the private topic `production:<id>`, where Supabase
-- Realtime exists. Elsewhere (a plain Postgres) the trigger does nothing.

create function private.broadcast_production()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is not null then
        execute 'select realtime.send($1, $2, $3, true)' using
            jsonb_build_object(
                'id', new.id,
                'kind', new.kind,
                'subject_id', new.subject_id,
                'status', new.status,
                'waiting_for', new.waiting_for,
                'current_stage', new.current_stage,
                'progress', new.progress,
                'build', new.build,
                'error', new.error
            ),
            'production_changed',
            'production:' || new.id;
    end if;
    return null;
end
$$;

revoke execute on function private.broadcast_production from public, anon, authenticated;

create trigger production_changes_are_broadcast
    after insert or update of status, waiting_for, current_stage, progress, error on public.productions
    for each row execute function private.broadcast_production();

-- Who may listen: members of the production's organization.
do $$
begin
    if to_regclass('realtime.messages') is not null then
        execute $policy$
            create policy "Members follow their organization's productions" on realtime.messages
                for select to authenticated
                using (
                    realtime.topic() in (
                        select 'production:' || productions.id
                        from public.productions
                        where productions.organization_id in (select private.my_organizations())
                    )
                )
        $policy$;
    end if;
end
$$;
