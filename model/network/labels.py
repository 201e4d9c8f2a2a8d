"""Emotions as a language model reads them: the texts that stage 1 aligns speech with."""

from __future__ import annotations

from pipeline.emotions import Emotion

TEXTS: dict[Emotion, tuple[str, ...]] = {
    "angry": ("angry", "a raised, hard and tense voice", "someone who is furious"),
    "disgusted": ("disgusted", "a low, slow and creaky voice", "someone who is repelled"),
    "fearful": ("fearful", "a high, fast and trembling voice", "someone who is afraid"),
    "happy": ("happy", "a bright, lively and melodious voice", "someone who is delighted"),
    "neutral": ("neutral", "a calm and even voice", "someone who feels nothing in particular"),
    "sad": ("sad", "a quiet, slow and falling voice", "someone who grieves"),
    "surprised": ("surprised", "a voice that suddenly leaps up", "someone who is astonished"),
}
"""Of each emotion the word, how it sounds, and who feels it.

The words are ours; up or down, loud or quiet, fast or slow are as in `pipeline.prosody`'s published
profiles."""
