"""Define the exception for errors that the user can fix."""


class InputError(Exception):
    """Raised for a file, key or parameter that cannot be used.

    The message is one line that names the file, key or parameter, what was expected, what was
    found, and the remedy. The command line prints it without a traceback.
    """
