-- Undoes the rules of the ambience line.

do $$
declare
    own record;
begin
    for own in
        select trigger.tgname, trigger.tgrelid::regclass as on_table
        from pg_catalog.pg_trigger as trigger
        where not trigger.tgisinternal
            and trigger.tgrelid in (
                'public.channels'::regclass, 'public.video_jobs'::regclass, 'public.audio_tracks'::regclass,
                'public.images'::regclass, 'engine.channel_secrets'::regclass
            )
    loop
        execute format('drop trigger %I on %s', own.tgname, own.on_table);
    end loop;
end
$$;

drop function private.check_album_is_whole();
drop function private.check_album_part();
drop function private.check_video_job();
drop function private.prompts_error(jsonb, integer, integer);
