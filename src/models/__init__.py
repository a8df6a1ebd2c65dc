"""Recipes, networks and checkpoints, and what training and inference share: preprocessing, forward pass, device.

How a network is trained is in `src.training`.
"""
