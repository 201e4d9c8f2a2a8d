"""VITS, of transformers or coqui-tts: one model for each language."""
