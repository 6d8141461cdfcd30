drop table public.spoken_lines;
drop function engine.forget_productions_of_deleted();
