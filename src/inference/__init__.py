"""From checkpoints to predictions: the members of the ensemble, and the probabilities that they give."""
