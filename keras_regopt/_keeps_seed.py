from keras_regopt._random import Counter
from keras_regopt._seed_state import seed_state, set_seed_state
from keras_regopt._validate import integer

# The key of the state in a file.
SEED_KEY = "seed_generator_state"


class KeepsSeed:
    """Base of the layers and models that draw random numbers.

    It keeps its generator in `self.seed_generator`, whose state is saved with
    the weights, so that a reloaded model draws on.
    """

    seed_generator = None

    def _take_seed(self, seed):
        self.seed = integer(self, "seed", seed, low=0, optional=True)
        self.seed_generator = Counter(self.seed)

    def save_own_variables(self, store):
        super().save_own_variables(store)  # type: ignore[misc]
        if self.seed_generator is not None:
            store[SEED_KEY] = seed_state(self.seed_generator)

    def load_own_variables(self, store):
        weights = {key: store[key] for key in store.keys()}  # noqa: SIM118
        state = weights.pop(SEED_KEY, None)
        super().load_own_variables(weights)  # type: ignore[misc]
        if state is not None and self.seed_generator is not None:
            set_seed_state(self.seed_generator, state)
