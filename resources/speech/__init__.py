"""Speech: what is said in a recording's channels, by faster-whisper, and which voices a mix has, by pyannote.audio.

Importing this package loads neither; it only makes sure, before anything imports them, that no library reports to its makers.
Media files belong to resources.media; what the words mean for a consultation to domain.
"""

import os

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it would keep a device id and events under the home folder, and send them
