"""The one exception for what a person can get wrong and put right."""


class InputError(Exception):
    """A file, key or parameter that cannot be used.

    The message is one line that names the thing, what was expected, what was found and what to do.
    The command line prints it without a traceback.
    """
