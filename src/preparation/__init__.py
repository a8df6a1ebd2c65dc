"""From labelled images to what a model is trained on: the split, and the normalization of pixels."""
