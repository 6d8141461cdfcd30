-- Prices of music by the second and of pictures by the piece, in GBP at 0.76 per US dollar.
--
-- Where no figure was found, the dearest known of its kind is taken as upper bound: a budget that believes a service to
-- be free protects nothing. Contracts for music differ most; an operator's own price belongs here before the first use.

insert into public.provider_prices (provider, model, unit, gbp, checked_on, source) values
    ('elevenlabs', '*', 'second', 0.0038, '2026-06-01', 'third party: 0.30 USD per minute of music'),
    ('beatoven', '*', 'second', 0.038, '2026-11-21', 'third party, upper bound: 3 USD per minute without a plan'),
    ('mubert', '*', 'second', 0.038, '2026-11-21', 'upper bound by assumption: no price was found; that of beatoven'),
    ('gemini', 'gemini-2.5-flash-image', 'image', 0.02964, '2026-11-21', 'quoted from the price page: 0.039 USD'),
    ('gemini', '*', 'image', 0.3192, '2026-11-21', 'upper bound by assumption: the dearest picture listed here'),
    (
        'openai', 'gpt-image-2', 'image', 0.3192, '2026-11-21',
        'third party, upper bound: 0.211 USD for 1024 x 1024 at high quality, twice that for 1920 x 1088'
    ),
    ('openai', '*', 'image', 0.3192, '2026-11-21', 'upper bound by assumption: the dearest picture listed here'),
    ('leonardo', '*', 'image', 0.3192, '2026-11-21', 'upper bound by assumption: price per model; the dearest listed'),
    ('stability', '*', 'image', 0.3192, '2026-11-21', 'upper bound by assumption: the dearest picture listed here')
on conflict (provider, model, unit) do nothing;
