"""Define the exception for what a user of the runner can mend."""


class DaskRunnerError(Exception):
    """An option, a node or a cluster that cannot be used; the message is one line."""
