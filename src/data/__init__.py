"""From the competition's CSV files to arrays: what the files must hold, and sets of images.

How images are split, changed or learned from is told in the rooms that do so.
"""
