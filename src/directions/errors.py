"""The one error that a user can mend; everything else is a bug and keeps its traceback."""


class InputError(ValueError):
    """Bad input: the message names the thing and the way out. Scripts print it and exit with 2."""
