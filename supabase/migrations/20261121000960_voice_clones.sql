-- Voice clones, the first table of the dub line: whose voice, who agreed to it and when, what it is made from, and the
-- voice that a provider made. A clone without consent cannot be written down. What a tier allows is checked here too.

create type public.voice_clone_status as enum ('pending', 'cloning', 'ready', 'failed');
comment on type public.voice_clone_status is 'pending: asked for; cloning: with the provider; ready: may speak; failed: see error_message.';

create table public.voice_clones (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    created_by uuid default auth.uid() references public.users (id) on delete set null,
    name text not null,
    language text not null default 'en-GB',
    provider text not null,
    provider_voice_id text,
    reference_asset_id uuid references public.assets (id) on delete set null,
    status public.voice_clone_status not null default 'pending',
    error_message text,
    speaker_name text not null,
    consent_statement text not null,
    consent_given_at timestamptz not null,
    consent_asset_id uuid references public.assets (id) on delete set null,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (organization_id, id),
    constraint name_has_1_to_200_characters check (name ~ '\S' and length(name) <= 200),
    constraint language_is_bcp_47_like_en_gb check (language ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$'),
    constraint provider_is_a_word_in_lower_case check (provider ~ '^[a-z][a-z0-9_]{0,49}$'),
    constraint provider_voice_id_has_1_to_255_characters check (provider_voice_id ~ '^\S{1,255}$'),
    constraint speaker_name_has_1_to_200_characters check (speaker_name ~ '\S' and length(speaker_name) <= 200),
    constraint consent_statement_has_10_to_4000_characters check (
        length(btrim(consent_statement)) >= 10 and length(consent_statement) <= 4000
    ),
    constraint ready_has_its_voice check (status <> 'ready' or provider_voice_id is not null),
    constraint failed_says_why check (status <> 'failed' or error_message is not null)
);
comment on table public.voice_clones is 'Voices that members had made of people who agreed to it; a tier allows so many.';
comment on column public.voice_clones.provider_voice_id is 'The voice''s name at the provider; null until there is one, and when it was removed there.';
comment on column public.voice_clones.reference_asset_id is 'The recording that the voice is made from.';
comment on column public.voice_clones.speaker_name is 'Whose voice it is.';
comment on column public.voice_clones.consent_statement is 'What the speaker agreed to, in their words. Consent is written once and never changed.';
comment on column public.voice_clones.consent_asset_id is 'A recording or document of the consent.';
comment on column public.voice_clones.error_message is 'What went wrong, in a sentence; null when nothing did.';

-- The name is the provider's own: two rows with one would be one voice with two owners.
create unique index voice_clones_provider_voice_id on public.voice_clones (provider, provider_voice_id);
create index voice_clones_organization_id on public.voice_clones (organization_id, created_at desc);
create index voice_clones_created_by on public.voice_clones (created_by);
create index voice_clones_reference_asset_id on public.voice_clones (reference_asset_id);
create index voice_clones_consent_asset_id on public.voice_clones (consent_asset_id);

-- Rules ---------------------------------------------------------------------------------------------------------------

create function private.check_voice_clone()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' and new.consent_given_at > clock_timestamp() + interval '5 minutes' then
        raise exception 'consent_given_at: consent is given before a voice is cloned, not in the future.'
            using errcode = 'check_violation', table = 'voice_clones', column = 'consent_given_at';
    end if;
    if tg_op = 'UPDATE' and old.status <> 'pending'
        and new.reference_asset_id is not null
        and new.reference_asset_id is distinct from old.reference_asset_id
    then
        raise exception 'reference_asset_id: the voice was made from another recording. Make another clone.'
            using errcode = 'check_violation', table = 'voice_clones', column = 'reference_asset_id';
    end if;
    if new.reference_asset_id is not null
        and (tg_op = 'INSERT' or new.reference_asset_id is distinct from old.reference_asset_id)
        and not exists (
            select
            from public.assets
            where assets.id = new.reference_asset_id
                and assets.organization_id = new.organization_id
                and assets.content_type like 'audio/%'
        )
    then
        raise exception 'reference_asset_id: the organization has no such audio file.'
            using errcode = 'foreign_key_violation', table = 'voice_clones', column = 'reference_asset_id';
    end if;
    if new.consent_asset_id is not null
        and (tg_op = 'INSERT' or new.consent_asset_id is distinct from old.consent_asset_id)
        and not exists (
            select
            from public.assets
            where assets.id = new.consent_asset_id
                and assets.organization_id = new.organization_id
        )
    then
        raise exception 'consent_asset_id: the organization has no such file.'
            using errcode = 'foreign_key_violation', table = 'voice_clones', column = 'consent_asset_id';
    end if;
    return new;
end
$$;

-- Counted under the organization's lock, as shows are: two clones made at the same moment see each other.
create function private.check_voice_clone_limit()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    allowed integer;
    tier public.subscription_tier;
begin
    select limits.max_voice_clones, organization.tier
    into allowed, tier
    from public.organizations as organization
    join public.tier_limits as limits on limits.tier = organization.tier
    where organization.id = new.organization_id
    for no key update of organization;

    if (
        select count(*)
        from public.voice_clones as clone
        where clone.organization_id = new.organization_id
            and clone.deleted_at is null
            and clone.id <> new.id
    ) >= allowed then
        perform private.refuse('53400', format('voice_clones: tier %s allows %s voice clone(s)', tier, allowed),
            case when allowed = 0 then 'Choose a higher tier.' else 'Delete one or choose a higher tier.' end);
    end if;
    return new;
end
$$;

-- What was deleted so long ago, once its voice is gone at the provider too: the row is all that names it.
create function engine.purge_deleted_voice_clones(p_deleted_for interval, p_limit integer)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    removed integer;
begin
    delete from public.voice_clones where voice_clones.id in (
        select old.id
        from public.voice_clones as old
        where old.deleted_at < clock_timestamp() - p_deleted_for
            and old.provider_voice_id is null
        limit p_limit
    );
    get diagnostics removed = row_count;
    return removed;
end
$$;

revoke execute on function private.check_voice_clone(), private.check_voice_clone_limit(),
    engine.purge_deleted_voice_clones(interval, integer)
    from public;
grant execute on function engine.purge_deleted_voice_clones(interval, integer) to showrunner_worker;

create trigger check_voice_clone
    before insert or update of reference_asset_id, consent_asset_id on public.voice_clones
    for each row execute function private.check_voice_clone();
create trigger check_limit_of_new
    before insert on public.voice_clones
    for each row when (new.deleted_at is null)
    execute function private.check_voice_clone_limit();
create trigger check_limit_of_restored
    before update of deleted_at on public.voice_clones
    for each row when (new.deleted_at is null and old.deleted_at is not null)
    execute function private.check_voice_clone_limit();
create trigger stamp_deletion
    before insert or update of deleted_at, deleted_by on public.voice_clones
    for each row execute function private.stamp_deletion();
create trigger touch_updated_at
    before update on public.voice_clones
    for each row execute function private.touch_updated_at();

select private.audit('public.voice_clones', 'status', 'provider_voice_id', 'error_message');

-- Access --------------------------------------------------------------------------------------------------------------

revoke all on public.voice_clones from anon, authenticated;
grant
    select,
    insert (
        id, organization_id, name, language, provider, reference_asset_id, speaker_name, consent_statement,
        consent_given_at, consent_asset_id
    ),
    update (name, language, reference_asset_id, deleted_at)
    on public.voice_clones to authenticated;
grant select, insert, update, delete on public.voice_clones to service_role;

alter table public.voice_clones enable row level security;

select private.let_members('public.voice_clones', 'viewer', 'select');
select private.let_members('public.voice_clones', 'editor', 'insert', 'update');
select private.let_worker('public.voice_clones', 'select', 'update', 'delete');
