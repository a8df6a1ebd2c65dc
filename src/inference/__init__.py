"""From checkpoints to predictions: the ensemble of all seeds, its probabilities and labels."""
