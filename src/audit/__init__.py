"""Checks of the data: duplicates, empty images, a test set with another distribution."""
