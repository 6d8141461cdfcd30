-- Undoes the foundation: no function, schema or role of this project remains.

drop function private.let_worker(regclass, text[]);
drop function private.stamp_deletion();
drop function private.touch_updated_at();
drop schema engine;
drop schema private;
drop owned by showrunner_worker;

-- A role belongs to the whole server: it stays while another database of it still grants it something.
do $$
begin
    drop role showrunner_worker;
exception
    when dependent_objects_still_exist then
        raise notice 'role showrunner_worker is still used by another database';
end
$$;
