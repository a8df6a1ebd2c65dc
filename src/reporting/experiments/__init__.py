"""The experiments since the last commit: `make experiments` prints them, and the report draws them."""
