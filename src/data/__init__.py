"""From the competition's CSV files to arrays: what the files must hold, and sets of images.

How images are split, normalized or learned from is in the rooms that do so.
"""
