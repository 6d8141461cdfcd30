do $$
begin
    if to_regclass('realtime.messages') is not null then
        execute 'drop policy if exists "Members follow their organization''s productions" on realtime.messages';
    end if;
end
$$;
drop trigger if exists production_changes_are_broadcast on public.productions;
drop function if exists private.broadcast_production();
