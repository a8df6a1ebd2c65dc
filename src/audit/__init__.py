"""What to know about the data before a result is trusted: duplicates, empty images, a test set that differs."""
