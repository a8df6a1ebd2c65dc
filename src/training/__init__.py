"""From a recipe and a training set to a trained network: the loop and what it is made of.

Nothing here is needed to predict.
"""
