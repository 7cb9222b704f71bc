"""Datasets of the catalog: HDF5 files, checkpoints, logs, models, figures and pages."""

from mnist_kedro.datasets.checkpoints_dataset import Checkpoints, CheckpointsDataset
from mnist_kedro.datasets.corrections_dataset import CorrectionsDataset
from mnist_kedro.datasets.hdf5_dataset import HDF5Dataset, LazyArray
from mnist_kedro.datasets.log_folder_dataset import LogFolderDataset
from mnist_kedro.datasets.promoted_model_dataset import PromotedModel, PromotedModelDataset
from mnist_kedro.datasets.source_store_dataset import SourceStoreDataset

__all__ = [
    "Checkpoints",
    "CheckpointsDataset",
    "CorrectionsDataset",
    "HDF5Dataset",
    "LazyArray",
    "LogFolderDataset",
    "PromotedModel",
    "PromotedModelDataset",
    "SourceStoreDataset",
]
