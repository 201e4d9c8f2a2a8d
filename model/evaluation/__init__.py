"""What a trained model is worth, and beside what."""
