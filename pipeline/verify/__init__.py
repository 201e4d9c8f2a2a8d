"""Whether a published folder is what it says: files, rows, clips, splits, licence and card."""
