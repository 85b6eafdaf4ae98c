"""The one error that a user can fix; everything else is a bug and keeps its traceback."""


class InputError(ValueError):
    """Bad input: the message names the problem and the way out. Scripts print it and exit with 2."""
