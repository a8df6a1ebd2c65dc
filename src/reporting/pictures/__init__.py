"""Pictures of the data and of the predictions: one module for each part of the pipeline, one function per picture.

Each function returns a `style.Picture`; the stage `draw` gives it a name and writes it.
"""
