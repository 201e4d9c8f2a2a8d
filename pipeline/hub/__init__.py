"""Sets and models on the Hugging Face Hub: publish, pull, and what stands there."""
