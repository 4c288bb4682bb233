"""Layers in the processes of a PyTorch `DataLoader`, and in threads."""

import concurrent.futures
import sys

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import RandomGaussianNoise


def noise():
    return RandomGaussianNoise(0.1, seed=1)


def repetitions(images):
    images = np.asarray(images).reshape(len(images), -1)
    return len(images) - len(np.unique(images, axis=0))


@pytest.mark.any_backend
def test_threads_never_use_a_draw_twice():
    layer = noise()
    image = np.full((2, 2, 1), 128.0, "float32")
    interval = sys.getswitchinterval()
    # Threads take turns within a draw, too.
    sys.setswitchinterval(1e-6)
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: layer(image), range(200)))
    finally:
        sys.setswitchinterval(interval)
    results = [keras.ops.convert_to_numpy(r) for r in results]
    assert repetitions(results) == 0


if keras.backend.backend() == "torch":
    import torch

    class Grey(torch.utils.data.Dataset):
        """Grey images, augmented one by one if there is a layer."""

        def __init__(self, layer=None):
            self.layer = layer

        def __len__(self):
            return 12

        def __getitem__(self, index):
            image = torch.full((2, 2, 1), 128.0)
            return image if self.layer is None else self.layer(image)

    def augmented_in_the_dataset():
        return Grey(noise()), None

    def augmented_in_batches():
        layer = noise()
        return Grey(), lambda images: layer(torch.stack(images))

    def two_epochs(make, workers, seed):
        torch.manual_seed(seed)
        dataset, collate = make()
        loader = torch.utils.data.DataLoader(
            dataset, 3, num_workers=workers, collate_fn=collate
        )
        return torch.cat([batch for _ in range(2) for batch in loader]).numpy()

    @pytest.mark.parametrize("workers", [0, 2])
    @pytest.mark.parametrize(
        "make", [augmented_in_the_dataset, augmented_in_batches]
    )
    def test_every_worker_and_every_epoch_draws_anew(make, workers):
        images = two_epochs(make, workers, seed=3)
        assert images.shape == (24, 2, 2, 1)
        assert repetitions(images) == 0
        again = two_epochs(make, workers, seed=3)
        np.testing.assert_array_equal(again, images)
        if workers:
            # The other half of the seed is torch's.
            assert (two_epochs(make, workers, seed=4) != images).any()
