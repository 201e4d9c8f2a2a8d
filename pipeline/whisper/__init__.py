"""The one place that loads Whisper: the transcript judge and the trainer's encoder share it.

openai-whisper is the library: its mel filters, tokenizer, normalisers, model classes and decoding
rules are used as they are. What is added here is speed: short windows (`encoding`), and greedy
decoding that is proved rather than run where the wanted text is what was said (`greedy`).
"""
