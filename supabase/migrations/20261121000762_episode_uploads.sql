-- Uploads: a file that a member puts into the bucket by a signed address, and that becomes a source once it was checked.
--
-- The file arrives under `uploads/`, where its sender may still replace it. What was checked is stored under
-- `organizations/`, where no signed address leads. Rows are short-lived; clients see an upload through the API alone.

create table engine.uploads (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    project_id uuid not null,
    episode_id uuid,
    kind public.source_kind not null,
    file_name text not null,
    content_type text not null,
    bytes bigint not null,
    sha256 text,
    requested_by uuid references public.users (id) on delete set null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null default clock_timestamp() + interval '1 hour',
    source_id uuid,
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    constraint kind_is_a_file check (kind in ('text', 'markdown', 'pdf')),
    constraint file_name_has_1_to_200_characters check (length(file_name) between 1 and 200),
    constraint bytes_is_1_to_10000000 check (bytes between 1 and 10000000),
    constraint sha256_is_64_hexadecimal_digits check (sha256 ~ '^[0-9a-f]{64}$')
);

comment on table engine.uploads is 'A file that may be put into the bucket, and the source that came of it. Kept for two days.';
comment on column engine.uploads.file_name is 'As shown to people; never part of a key.';
comment on column engine.uploads.bytes is 'As announced; the signed address accepts no other length.';
comment on column engine.uploads.sha256 is 'As announced, or null.';
comment on column engine.uploads.source_id is 'Set once the file was checked and became a source.';

create index uploads_of_organization on engine.uploads (organization_id, created_at desc);
create index uploads_of_project on engine.uploads (organization_id, project_id);
create index uploads_of_requester on engine.uploads (requested_by);
create index uploads_oldest_first on engine.uploads (created_at);

alter table engine.uploads enable row level security;

-- Where the sender puts the file.
create function engine.upload_key(p_upload engine.uploads)
    returns text
    language sql
    immutable
    set search_path = ''
as $$
    select 'uploads/' || p_upload.organization_id || '/' || p_upload.id
$$;

-- Where the checked file is kept. The name that people gave it is no part of it.
create function engine.stored_upload_key(p_upload engine.uploads)
    returns text
    language sql
    immutable
    set search_path = ''
as $$
    select format(
        'organizations/%s/uploads/%s.%s',
        p_upload.organization_id,
        p_upload.id,
        case p_upload.kind when 'pdf' then 'pdf' when 'markdown' then 'md' else 'txt' end
    )
$$;

-- A member may put one more file: who, for which show, how many and how much a day. Counted under the organization's
-- lock, so that requests of the same moment see each other.
create function private.begin_upload(
    p_project uuid,
    p_episode uuid,
    p_kind public.source_kind,
    p_file_name text,
    p_content_type text,
    p_bytes bigint,
    p_sha256 text
)
    returns table (id uuid, key text, expires_at timestamptz)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    most_files constant integer := 100;
    most_bytes constant bigint := 500000000;
    organization uuid;
    taken record;
    upload engine.uploads;
begin
    select projects.organization_id into organization
    from public.projects
    where projects.id = p_project
      and projects.deleted_at is null
      and projects.organization_id in (select private.my_organizations());
    if not found then
        perform private.refuse('P0002', format('project_id: %s does not exist', p_project));
    end if;
    if organization not in (select private.my_organizations('editor')) then
        perform private.refuse('42501', 'project_id: this needs the role editor or above');
    end if;
    if p_episode is not null and not exists (
        select
        from public.episodes
        where episodes.id = p_episode
          and episodes.project_id = p_project
          and episodes.deleted_at is null
    ) then
        perform private.refuse('P0002', format('episode_id: the show has no episode %s', p_episode));
    end if;

    perform from public.organizations where organizations.id = organization for no key update;
    select count(*) as files, coalesce(sum(uploads.bytes), 0) as bytes into taken
    from engine.uploads
    where uploads.organization_id = organization
      and uploads.created_at > clock_timestamp() - interval '1 day';
    if taken.files >= most_files then
        perform private.refuse('53400', format('uploads: %s files in 24 hours are allowed', most_files),
            'Try again tomorrow.');
    end if;
    if taken.bytes + p_bytes > most_bytes then
        perform private.refuse(
            '53400',
            format('bytes: %s asked, %s of %s bytes in 24 hours are left', p_bytes, most_bytes - taken.bytes, most_bytes),
            'Send a smaller file, or try again tomorrow.'
        );
    end if;

    insert into engine.uploads
        (organization_id, project_id, episode_id, kind, file_name, content_type, bytes, sha256, requested_by)
    values
        (organization, p_project, p_episode, p_kind, p_file_name, p_content_type, p_bytes, p_sha256, (select auth.uid()))
    returning * into upload;
    return query select upload.id, engine.upload_key(upload), upload.expires_at;
end
$$;
comment on function private.begin_upload is 'A place for one file, if the caller may add sources to the show and the day has room.';

-- What there is to check, for a member who may add sources to the show. Null source_id: not completed yet.
create function private.upload_to_complete(p_upload uuid)
    returns table (
        key text, stored_key text, kind text, file_name text, content_type text, bytes bigint, sha256 text, source_id uuid
    )
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    upload engine.uploads;
begin
    select * into upload
    from engine.uploads
    where uploads.id = p_upload
      and uploads.organization_id in (select private.my_organizations());
    if not found then
        perform private.refuse('P0002', format('upload_id: %s does not exist', p_upload));
    end if;
    if upload.organization_id not in (select private.my_organizations('editor')) then
        perform private.refuse('42501', 'upload_id: this needs the role editor or above');
    end if;
    if upload.source_id is null and upload.expires_at < clock_timestamp() then
        perform private.refuse('55000', 'upload_id: it was not completed in time', 'Ask for a new upload.');
    end if;
    return query select
        engine.upload_key(upload), engine.stored_upload_key(upload), upload.kind::text, upload.file_name,
        upload.content_type, upload.bytes, upload.sha256, upload.source_id;
end
$$;
comment on function private.upload_to_complete(uuid) is 'What was announced of a file, for a member who may complete it.';

-- The checked file becomes a source. Completing again gives the same source.
create function engine.complete_upload(p_upload uuid, p_title text)
    returns uuid
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    upload engine.uploads;
begin
    select * into upload from engine.uploads where uploads.id = p_upload for no key update;
    if not found then
        raise exception 'upload_id: % does not exist', p_upload using errcode = 'no_data_found';
    end if;
    if upload.source_id is not null then
        return upload.source_id;
    end if;
    insert into public.sources (organization_id, project_id, episode_id, kind, title, upload_key)
    values (upload.organization_id, upload.project_id, upload.episode_id, upload.kind, p_title, engine.stored_upload_key(upload))
    returning sources.id into upload.source_id;
    update engine.uploads set source_id = upload.source_id where uploads.id = p_upload;
    insert into engine.file_deletions (key)
    values (engine.upload_key(upload))
    on conflict (key) do update set queued_at = excluded.queued_at;
    return upload.source_id;
end
$$;
comment on function engine.complete_upload(uuid, text) is 'Makes the source of a checked file, once; returns its id.';

-- Uploads of two days ago. The files of those that never became a source are noted for deletion.
create function engine.expire_uploads(p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    removed integer;
begin
    with gone as (
        delete from engine.uploads as upload
        where upload.id in (
            select old.id
            from engine.uploads as old
            where old.created_at < clock_timestamp() - interval '2 days'
            order by old.created_at
            limit p_limit
            for update skip locked
        )
        returning upload.*
    ),
    noted as (
        insert into engine.file_deletions (key)
        select keys.key
        from gone
        cross join lateral (select row (gone.*)::engine.uploads as upload) as whole
        cross join lateral unnest(
            array[engine.upload_key(whole.upload), engine.stored_upload_key(whole.upload)]
        ) as keys (key)
        where gone.source_id is null
        on conflict (key) do update set queued_at = excluded.queued_at
    )
    select count(*) into removed from gone;
    return removed;
end
$$;
comment on function engine.expire_uploads(integer) is 'Forgets uploads after two days; returns how many.';

revoke execute on function
    private.begin_upload, private.upload_to_complete,
    engine.upload_key, engine.stored_upload_key, engine.complete_upload, engine.expire_uploads
    from public;
grant execute on function private.begin_upload, private.upload_to_complete to authenticated;
grant execute on function engine.complete_upload, engine.expire_uploads to showrunner_worker;
