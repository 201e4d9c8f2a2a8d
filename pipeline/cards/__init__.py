"""What a person reads and looks at: the data card, the report, the pictures."""
