"""The same piece by MoviePy, as its documentation does it; runs in .venv-bench, where MoviePy is.

python moviepy_video.py OUT SECONDS CROSSFADE PICTURE_FADE IMAGE AUDIO [IMAGE AUDIO ...]
"""

import sys

from moviepy import AudioFileClip, CompositeAudioClip, CompositeVideoClip, ImageClip
from moviepy.audio.fx import AudioFadeIn, AudioFadeOut
from moviepy.video.fx import CrossFadeIn

out, seconds, crossfade, fade, *files = sys.argv[1:]
length, crossing, fading = float(seconds), float(crossfade), float(fade)
pictures, sounds = [], []
for number, (image, audio) in enumerate(zip(files[::2], files[1::2], strict=True)):
    start = number * (length - crossing)
    shown = length if number == len(files) // 2 - 1 else length - crossing + fading
    picture = ImageClip(image).with_duration(shown).with_start(start)
    sound = AudioFileClip(audio).subclipped(0, length).with_start(start)
    if number:
        picture, sound = picture.with_effects([CrossFadeIn(fading)]), sound.with_effects([AudioFadeIn(crossing)])
    if number < len(files) // 2 - 1:
        sound = sound.with_effects([AudioFadeOut(crossing)])
    pictures.append(picture)
    sounds.append(sound)
video = CompositeVideoClip(pictures).with_audio(CompositeAudioClip(sounds))
video.write_videofile(out, fps=25, codec="libx264", audio_codec="aac", audio_fps=48000, logger=None)
