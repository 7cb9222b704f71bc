"""Define the exception for errors that the user of the runner can fix."""


class DaskRunnerError(Exception):
    """An option, a node or a cluster that cannot be used; the message is one line."""
