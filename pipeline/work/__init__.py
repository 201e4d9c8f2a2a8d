"""What is made of a corpus, and its names in the work store: from batches to decided takes."""
