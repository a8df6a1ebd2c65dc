"""From the competition's CSV files to arrays: the checks of the files, and sets of images."""
