"""What a person looks at: pictures, the comparison with the last commit, and the report.

Nothing here changes a number of the pipeline.
"""
