"""Whisper encoder -> Emotion Q-Former -> LLaMA, its two-stage trainer, and what it is worth."""
