-- Undoes the comparison of what is desired with what exists.

drop function engine.reconcile(public.productions, engine.pipelines, boolean);
drop function engine.desired_jobs(uuid, text);
drop function engine.stages_from(text, text);
