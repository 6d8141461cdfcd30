delete from public.provider_prices where provider in ('polly', 'openai', 'bedrock');
