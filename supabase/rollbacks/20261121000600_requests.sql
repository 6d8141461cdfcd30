drop function if exists
    public.request_production, public.cancel_production, public.retry_production, public.approve_production,
    public.preview_rebuild, public.rebuild_production, public.explain_production,
    private.request_production, private.cancel_production, private.approve_production, private.rebuild_production,
    private.preview_rebuild, private.explain_production, private.check_episode_request, private.note_event,
    private.production_for, private.refuse;
drop table if exists engine.kinds;
