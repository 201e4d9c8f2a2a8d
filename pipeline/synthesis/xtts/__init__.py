"""XTTS v2 through coqui-tts: conditioning, the autoregressive part in batches, the vocoder."""
