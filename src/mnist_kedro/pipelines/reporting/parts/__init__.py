"""Parts of the ``reporting`` pipeline, of which each can be run by itself by its tag."""
