drop function if exists engine.take_due(uuid, integer);
