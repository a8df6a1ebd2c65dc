"""From labelled images to what a model is trained on: folds, and pixels scaled to [0, 1]."""
