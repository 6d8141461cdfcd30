drop function public.export_highlight(uuid, text);
drop trigger productions_of_deleted_highlights_are_forgotten on public.highlights;
drop trigger highlight_shows_production on public.productions;
drop trigger highlight_shows_new_production on public.productions;
drop function engine.project_onto_highlight();
delete from engine.kinds where kind = 'highlight_clip';
drop function private.check_highlight_request(uuid);
delete from public.productions where kind = 'highlight_clip';
drop view engine.desired_cut_highlight;
drop view engine.highlights_in_audio;
delete from engine.pipelines where kind = 'highlight_clip';
alter table public.highlights
    drop column clip_text,
    drop column clip_asset_id,
    drop column clip_error,
    drop column clip_status;
