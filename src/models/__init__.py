"""What is trained: recipes, the networks they name, and the files that hold trained ones.

How a network is trained is in `src.training`.
"""
