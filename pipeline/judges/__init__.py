"""Takes become scores: one file per judge. A judge measures; it never decides."""
