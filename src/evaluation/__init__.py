"""From predictions and true labels to scores."""
