"""What happens, in the order of a run: ingestion, data_processing, training, reporting."""

# What the pipelines are made for until a run's `training.models` is known (see hooks.py), as when
# `kedro registry list` asks for them; the same as in conf/base.
MODELS = ("cnn", "dense")
