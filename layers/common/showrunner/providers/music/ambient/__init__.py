"""A composer of ambient music: from the words of a prompt to a stereo file, by arithmetic alone.

    wishes       the words become a character: key, mode, tempo, layers, textures, brightness, space
    harmony      chords that follow one another with little movement
    form         sections in which layers enter and leave
    parts        the notes of every layer
    instruments  the sound of one note or chord
    textures     rain, wind, fire, waves, birds and night
    reverb       the room
    mix          everything added up, block by block, and written

The same seed gives the same file, sample by sample; another seed another piece.
"""
