-- The voices that speakers may have. Names and genders as the providers list them; the embedded voices' rates are
-- measured on prose, the others' are a first guess until voice_rates has measured them.

insert into public.voices (id, provider, name, language, gender, label, characters_per_second)
select
    voice.provider || '/' || voice.name, voice.provider, voice.name, voice.language, voice.gender, voice.label,
    voice.characters_per_second
from (
    values
        ('espeak', 'ada', 'en-GB', 'female', 'Ada (offline, British)', 14.9),
        ('espeak', 'ben', 'en-GB', 'male', 'Ben (offline, British)', 15.2),
        ('espeak', 'cora', 'en-US', 'female', 'Cora (offline, American)', 14.8),
        ('espeak', 'dev', 'en-US', 'male', 'Dev (offline, American)', 15.0),
        ('espeak', 'emil', 'de-DE', 'male', 'Emil (offline, German)', 16.7),
        ('espeak', 'frida', 'de-DE', 'female', 'Frida (offline, German)', 16.5),
        ('espeak', 'gael', 'fr-FR', 'male', 'Gael (offline, French)', 16.4),
        ('espeak', 'helene', 'fr-FR', 'female', 'Helene (offline, French)', 16.2),
        ('espeak', 'ines', 'es-ES', 'female', 'Ines (offline, Spanish)', 15.6),
        ('espeak', 'juan', 'es-ES', 'male', 'Juan (offline, Spanish)', 15.7),
        ('espeak', 'lia', 'it-IT', 'female', 'Lia (offline, Italian)', 15.9),
        ('espeak', 'nuno', 'pt-PT', 'male', 'Nuno (offline, Portuguese)', 15.1),
        ('polly', 'Amy', 'en-GB', 'female', 'Amy (Polly, British)', 14.5),
        ('polly', 'Brian', 'en-GB', 'male', 'Brian (Polly, British)', 14.5),
        ('polly', 'Joanna', 'en-US', 'female', 'Joanna (Polly, American)', 14.5),
        ('polly', 'Matthew', 'en-US', 'male', 'Matthew (Polly, American)', 14.5),
        ('polly', 'Vicki', 'de-DE', 'female', 'Vicki (Polly, German)', 14.5),
        ('polly', 'Daniel', 'de-DE', 'male', 'Daniel (Polly, German)', 14.5),
        ('polly', 'Lea', 'fr-FR', 'female', 'Léa (Polly, French)', 14.5),
        ('polly', 'Remi', 'fr-FR', 'male', 'Rémi (Polly, French)', 14.5),
        ('polly', 'Lucia', 'es-ES', 'female', 'Lucia (Polly, Spanish)', 14.5),
        ('polly', 'Sergio', 'es-ES', 'male', 'Sergio (Polly, Spanish)', 14.5),
        ('polly', 'Bianca', 'it-IT', 'female', 'Bianca (Polly, Italian)', 14.5),
        ('polly', 'Adriano', 'it-IT', 'male', 'Adriano (Polly, Italian)', 14.5),
        ('polly', 'Ines', 'pt-PT', 'female', 'Inês (Polly, Portuguese)', 14.5),
        ('polly', 'Camila', 'pt-BR', 'female', 'Camila (Polly, Brazilian)', 14.5),
        ('polly', 'Thiago', 'pt-BR', 'male', 'Thiago (Polly, Brazilian)', 14.5)
) as voice (provider, name, language, gender, label, characters_per_second);

-- They speak whatever language the text is in.
insert into public.voices (id, provider, name, language, gender, label)
select 'openai/' || name, 'openai', name, 'mul', 'neutral', initcap(name) || ' (OpenAI-compatible)'
from unnest(array[
    'alloy', 'ash', 'ballad', 'coral', 'echo', 'fable', 'onyx', 'nova', 'sage', 'shimmer', 'verse', 'marin', 'cedar'
]) as name;
