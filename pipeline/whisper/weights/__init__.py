"""Weights that ship with m5ser: `small-espeak`, made by `model/pretrain_whisper.py`."""
