-- Undoes the rules of the episode line.

do $$
declare
    own record;
begin
    for own in
        select trigger.tgname, trigger.tgrelid::regclass as on_table
        from pg_catalog.pg_trigger as trigger
        where not trigger.tgisinternal
            and trigger.tgrelid in (
                'public.projects'::regclass, 'public.episodes'::regclass, 'public.sources'::regclass,
                'public.blocks'::regclass, 'public.planning_notes'::regclass, 'public.feeds'::regclass
            )
    loop
        execute format('drop trigger %I on %s', own.tgname, own.on_table);
    end loop;
end
$$;

drop function engine.backfill_generation_status();
drop function public.revoke_feed_token(uuid, boolean);
drop function private.revoke_feed_token(uuid, boolean);
drop function private.check_planning_note();
drop function private.check_block();
drop function private.number_episode();
drop function private.open_feed();
drop function private.check_project_limit();
drop function private.check_project();
drop function private.speakers_error(jsonb, public.show_format);
drop function private.cadence_error(jsonb);
