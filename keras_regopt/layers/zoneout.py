import itertools

import keras
from keras import ops

from keras_regopt import _elementwise
from keras_regopt._keras import DropoutRNNCell, takes_training
from keras_regopt._random import next_key
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range
from keras_regopt.layers._wrapper import Wrapper

# The counted steps have two digits, which half precision can hold.
_BASE = 256
# Keeps the keys of the steps apart from those of the next calls.
_STRIDE = 1_000_003


@register
class Zoneout(DropoutRNNCell, Wrapper):
    """Lets units of a recurrent network keep their old state now and then.

    Where dropout sets a unit to zero and so cuts its memory, zoneout lets it
    stay as it was in the step before. In training, at each step and for each
    unit by itself,

        h[t] = h[t - 1]   with probability `rate`, else what the cell computes,

    and likewise for the memory `c` of an LSTM. At inference the state is the
    expected value, `rate * h[t - 1] + (1 - rate) * cell(x[t], h[t - 1])`.

    It stands around a cell, within `keras.layers.RNN`:
    `RNN(Zoneout(LSTMCell(32), 0.05, 0.5))`. Dropout that the cell has itself
    goes on to work. To draw anew at each step, it counts the steps in one more
    state of two numbers an example, the last one of `return_state`, and zero
    at the beginning.

    Args:
        layer: The cell: Keras' `SimpleRNNCell`, `GRUCell`, `LSTMCell`, or
            another with a `state_size`, whose first state is the hidden one.
        rate: Probability that a hidden unit keeps its state, in [0, 1). The
            paper recommends 0.05 for an LSTM. Defaults to `0.1`.
        cell_rate: The same for the further states, the memory of an LSTM, or
            `None` for `rate`. The paper recommends 0.5. Defaults to `None`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of the cell, `(batch, features)` for each step.

    Output shape:
        As of the cell.

    Raises:
        ValueError: If an argument is out of its range or not a cell.

    Examples:
        >>> cell = Zoneout(keras.layers.LSTMCell(8), 0.05, cell_rate=0.5)
        >>> layer = keras.layers.RNN(cell, return_sequences=True)
        >>> layer(np.ones((2, 5, 3), "float32")).shape == (2, 5, 8)
        True

    References:
        Krueger et al. 2017, Zoneout (arXiv 1606.01305).
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        rate: float = 0.1,
        cell_rate: float | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        if not _is_cell(layer):
            remedy = "Put it around one cell, within `keras.layers.RNN`."
            fail(self, "layer", "a cell of a recurrent layer", layer, remedy)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.cell_rate = in_range(
            self, "cell_rate", cell_rate, low=0, below=1, optional=True
        )
        self._take_seed(seed)
        self._key_of_loop = None

    @property
    def state_size(self):
        return [*_as_list(self.layer.state_size), 2]

    @property
    def output_size(self):
        size = getattr(self.layer, "output_size", None)
        return self.state_size[0] if size is None else size

    def get_initial_state(self, batch_size=None):
        states = _as_list(self.layer.get_initial_state(batch_size=batch_size))
        return [*states, ops.zeros((batch_size, 2), dtype=self.compute_dtype)]

    # Keras' RNN calls these four before and after its loop, in which a
    # generator could not count under JAX.

    def get_dropout_mask(self, step_input):
        self._key_of_loop = next_key(self.seed_generator)
        if isinstance(self.layer, DropoutRNNCell):
            self.layer.get_dropout_mask(step_input)

    def get_recurrent_dropout_mask(self, step_input):
        if isinstance(self.layer, DropoutRNNCell):
            self.layer.get_recurrent_dropout_mask(step_input)

    def reset_dropout_mask(self):
        self._key_of_loop = None
        if isinstance(self.layer, DropoutRNNCell):
            self.layer.reset_dropout_mask()

    def reset_recurrent_dropout_mask(self):
        if isinstance(self.layer, DropoutRNNCell):
            self.layer.reset_recurrent_dropout_mask()

    def call(self, inputs, states, training=False):
        *old, steps = states
        arguments = {}
        if takes_training(self.layer):
            arguments["training"] = training
        output, computed = self.layer(inputs, old, **arguments)
        computed = _as_list(computed)
        new = [ops.cast(n, o.dtype) for n, o in zip(computed, old, strict=True)]
        if training:
            new = self._zoned_out(old, new, self._draws(steps, new))
        else:
            new = self._expected(old, new)
        # In Keras' cells, the output is the hidden state.
        output = new[0] if output is computed[0] else self._cast(output)
        return output, [*new, _count_on(steps)]

    def _zoned_out(self, old, new, draws):
        each = zip(old, new, self._rates(new), draws, strict=True)
        return [ops.where(draw < rate, o, n) for o, n, rate, draw in each]

    def _expected(self, old, new):
        each = zip(old, new, self._rates(new), strict=True)
        return [n + rate * (o - n) for o, n, rate in each]

    def _rates(self, states):
        rest = self.rate if self.cell_rate is None else self.cell_rate
        return [self.rate] + [rest] * (len(states) - 1)

    def _draws(self, steps, states):
        """Numbers from 0 to 1 for each unit of each state, at this step."""
        key = self._key_of_loop
        if key is None:
            # The cell is called by itself.
            key = next_key(self.seed_generator)
        key = key + _count(steps) * ops.cast([_STRIDE, 0], "int32")
        sizes = [state.shape[-1] for state in states]
        shape = (ops.shape(states[0])[0], sum(sizes))
        draws = _elementwise.uniforms(key, shape)
        ends = itertools.accumulate(sizes)
        each = zip(sizes, ends, strict=True)
        return [draws[:, end - size : end] for size, end in each]

    def compute_output_spec(self, inputs, states, training=False):
        shape = (inputs.shape[0], self.output_size)
        output = keras.KerasTensor(shape, self.compute_dtype)
        return output, [keras.KerasTensor(s.shape, s.dtype) for s in states]


def _count(steps):
    """A number that grows from step to step, as long as any example goes on.

    The state of an example stands still where it is masked.
    """
    digits = ops.sum(ops.cast(steps, "int32"), axis=0)
    return digits[0] + _BASE * digits[1]


def _count_on(steps):
    low, high = steps[:, :1] + 1, steps[:, 1:]
    full = low == _BASE
    high = ops.where(full, high + 1, high)
    steps = ops.concatenate([ops.where(full, 0, low), high], axis=-1)
    return ops.where(steps == _BASE, 0, steps)


def _is_cell(layer):
    several = (keras.layers.RNN, keras.layers.StackedRNNCells)
    return hasattr(layer, "state_size") and not isinstance(layer, several)


def _as_list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]
