"""Media files: what is in them and their sound. Recognising speech belongs to resources.speech, storage to resources.objects."""

from resources.media.decoding import MediaToolMissing, PcmFile, decode, ffmpeg_path
from resources.media.probing import MAX_CHANNELS, MediaInfo, probe

__all__ = ["MAX_CHANNELS", "MediaInfo", "MediaToolMissing", "PcmFile", "decode", "ffmpeg_path", "probe"]
