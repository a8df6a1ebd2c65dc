"""How a stage runs: its command line, its parameters, its errors, its metrics file, its outputs.

Nothing here knows what an image, a model or a competition is.
"""
