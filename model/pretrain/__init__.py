"""A small Whisper from nothing, on espeak-ng's speech: text, speech, batches, network, loop."""
