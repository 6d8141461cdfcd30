drop function if exists engine.statistics();
