drop function if exists engine.expire_uploads(integer);
drop function if exists engine.complete_upload(uuid, text);
drop function if exists private.upload_to_complete(uuid);
drop function if exists private.begin_upload(uuid, uuid, public.source_kind, text, text, bigint, text);
drop function if exists engine.stored_upload_key(engine.uploads);
drop function if exists engine.upload_key(engine.uploads);
drop table if exists engine.uploads;
