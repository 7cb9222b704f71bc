"""What happens, in the order of a run: ingestion, data_processing, training, reporting."""

# The networks that a run trains and compares; the first is the one that the figures show.
# Each has its `network` in conf/base/parameters_training.yml.
MODELS = ("cnn", "dense")
