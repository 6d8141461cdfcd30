-- Undoes metering.

drop trigger completed_production_is_measured on public.productions;
drop function engine.measure_generation();
drop table public.audio_cache, public.generation_metrics, public.token_usage_daily, public.usage_events,
    public.provider_prices;
drop function engine.add_to_daily_usage();
drop function engine.record_usage(uuid, integer, jsonb);
drop function engine.price(text, text, public.usage_unit);
drop type public.usage_unit;
