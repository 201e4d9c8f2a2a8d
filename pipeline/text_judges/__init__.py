"""Lines become scores, before any speech is paid for: one file per judge of texts."""
