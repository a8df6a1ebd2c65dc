"""From checkpoints to predictions: the ensemble of all recipes and seeds, its probabilities and labels."""
