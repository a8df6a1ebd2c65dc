"""Pictures, the comparison with the last commit, the report and the model card.

Nothing here changes a number of the pipeline.
"""
