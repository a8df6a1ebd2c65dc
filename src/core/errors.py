"""The one exception that becomes a line on the terminal instead of a traceback."""


class UserError(Exception):
    """Something that a person can correct: a bad value, a bad file, a service that refuses.

    Its text is one line that says which file, row, column or key is wrong and what to do.
    """
