"""Recordings: the answers of a source kept in a folder or an archive, read back as a source.

`source` answers from one, `layout` has the two files it consists of, `saving` and `reading` those
in folders, `packed` both in one archive.
"""

from analysis.sources.recording.packed import pack, unpack
from analysis.sources.recording.reading import Head, load, load_packed, read_head
from analysis.sources.recording.saving import check_free, save
from analysis.sources.recording.source import Recording

__all__ = [
    "Head",
    "Recording",
    "check_free",
    "load",
    "load_packed",
    "pack",
    "read_head",
    "save",
    "unpack",
]
