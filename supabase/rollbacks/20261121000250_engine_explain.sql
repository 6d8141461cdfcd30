-- Undoes the sentences.

drop function engine.explain_production(uuid);
drop function engine.explain(uuid);
drop function engine.readable_wait(double precision);
