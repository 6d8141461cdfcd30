-- Undoes health.

drop function engine.health();
