-- Prices as data, in GBP at 0.76 per US dollar. An operator updates rows; code never names a price.
--
-- A row for model '*' is what an unlisted model is taken to cost. Where a provider's own page gave no figure, that is
-- an upper bound and says so, since a budget that believes a model to be free protects nothing. Offline providers have
-- no rows: they cost nothing.

insert into public.provider_prices (provider, model, unit, gbp, checked_on, source) values
    ('polly', 'standard', 'character', 0.00000304, '2026-10-07', 'AWS price list: 4 USD per million characters'),
    ('polly', 'neural', 'character', 0.00001216, '2026-10-07', 'AWS price list: 16 USD per million characters'),
    ('polly', 'generative', 'character', 0.0000228, '2026-10-07', 'AWS price list: 30 USD per million characters'),
    ('polly', 'long-form', 'character', 0.000076, '2026-10-07', 'AWS price list: 100 USD per million characters'),
    ('polly', '*', 'character', 0.00001216, '2026-10-07', 'the default engine, neural'),
    ('openai', 'gpt-5.5', 'input_token', 0.0000038, '2026-05-01', 'record of the price page: 5 USD per million'),
    ('openai', 'gpt-5.5', 'output_token', 0.0000228, '2026-05-01', 'record of the price page: 30 USD per million'),
    ('openai', 'gpt-5.4', 'input_token', 0.0000019, '2026-05-01', 'record of the price page: 2.50 USD per million'),
    ('openai', 'gpt-5.4', 'output_token', 0.0000114, '2026-05-01', 'record of the price page: 15 USD per million'),
    ('openai', 'gpt-5.4-mini', 'input_token', 0.00000057, '2026-05-01', 'record of the price page: 0.75 USD per million'),
    ('openai', 'gpt-5.4-mini', 'output_token', 0.00000342, '2026-05-01', 'record of the price page: 4.50 USD per million'),
    ('openai', '*', 'input_token', 0.0000038, '2026-11-21', 'upper bound: the dearest listed model'),
    ('openai', '*', 'output_token', 0.0000228, '2026-11-21', 'upper bound: the dearest listed model'),
    ('openai', '*', 'character', 0.0000228, '2026-11-21', 'upper bound for speech: 30 USD per million characters'),
    ('bedrock', '*', 'input_token', 0.0000038, '2026-11-21', 'upper bound: 5 USD per million tokens'),
    ('bedrock', '*', 'output_token', 0.0000228, '2026-11-21', 'upper bound: 30 USD per million tokens')
on conflict (provider, model, unit) do nothing;
