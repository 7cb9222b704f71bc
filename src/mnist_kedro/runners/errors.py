"""Define the exception for errors of the runner that the user can fix."""


class DaskRunnerError(Exception):
    """Raised for an option, node or cluster that cannot be used; the message is one line."""
