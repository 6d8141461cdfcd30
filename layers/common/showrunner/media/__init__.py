"""Audio and video work on ffmpeg. Needs the media layer."""
