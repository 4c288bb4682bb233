"""Data that Keras' `fit` runs through, as it holds them."""

from keras_boundary.common import data, within_fit

from keras_regopt import _keras


def iterator_of_fit(x=None, steps_per_epoch=None):
    """The `EpochIterator` of a `fit`."""

    def find(model):
        return _keras.running_fit(model)[0]

    options = {"steps_per_epoch": steps_per_epoch} if steps_per_epoch else {}
    return within_fit(find, x=x, **options)[0]


def pipeline_in_fit():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(data(4))
    return iterator_of_fit(dataset).data_adapter, dataset


def loader_in_fit():
    import torch

    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*map(torch.from_numpy, data(4)))
    )
    return iterator_of_fit(loader).data_adapter, loader
