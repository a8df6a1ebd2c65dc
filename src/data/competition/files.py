"""The names of a competition's files."""

TRAIN = "train.csv"
TEST = "test.csv"
SAMPLE_SUBMISSION = "sample_submission.csv"
FILES = (TRAIN, TEST, SAMPLE_SUBMISSION)
LABEL = "label.txt"
"""Names the label column, where the settings of the source do."""
