from pathlib import Path

PROJECT = Path(__file__).parents[2]
MOST_TRACKS = 20
