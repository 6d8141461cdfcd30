"""A long video from short parts: each track and each picture is encoded once, and an hour is joined by copying.

An album is a sequence of tracks, each with its picture. A picture becomes a *loop unit*, some seconds of video that
can be repeated and cut after any frame; a track becomes an *audio unit*. `render` repeats and joins their bytes, and
encodes only the seconds around each joint, where pictures and sounds cross.
"""
