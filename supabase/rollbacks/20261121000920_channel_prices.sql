delete from public.provider_prices where unit = 'second' and provider in ('elevenlabs', 'beatoven', 'mubert');
delete from public.provider_prices where unit = 'image' and provider in ('gemini', 'openai', 'leonardo', 'stability');
