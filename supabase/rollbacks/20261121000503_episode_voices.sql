-- Undoes the voices' reference data.

delete from public.voices;
