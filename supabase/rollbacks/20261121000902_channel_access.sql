-- Undoes who may do what with the ambience line.

do $$
declare
    own record;
begin
    for own in
        select policy.polname, policy.polrelid::regclass as on_table
        from pg_catalog.pg_policy as policy
        where policy.polrelid in (
            'public.channels'::regclass, 'public.video_jobs'::regclass, 'public.audio_tracks'::regclass,
            'public.images'::regclass, 'public.render_tasks'::regclass, 'public.video_analytics'::regclass
        )
    loop
        execute format('drop policy %I on %s', own.polname, own.on_table);
    end loop;
end
$$;

revoke all
    on public.channels, public.video_jobs, public.audio_tracks, public.images, public.render_tasks,
       public.video_analytics, engine.channel_secrets
    from anon, authenticated, service_role, showrunner_worker;
