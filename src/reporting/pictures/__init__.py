"""Pictures of the data and of the predictions: one module for each part of the pipeline, one function per picture.

Each function returns a `style.Picture`; the stage `draw` gives it a name and writes it.
"""

import os

# Pictures are files. A notebook exports a backend of its own to what a cell starts, and without that backend matplotlib
# refuses to be imported.
os.environ["MPLBACKEND"] = "agg"
