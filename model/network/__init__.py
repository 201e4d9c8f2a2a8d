"""Whisper encoder -> Emotion Q-Former -> LLaMA: the model itself."""
