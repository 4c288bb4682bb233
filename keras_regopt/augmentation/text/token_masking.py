from collections.abc import Sequence
from typing import Any

from keras_regopt._registry import register
from keras_regopt._validate import (
    boolean,
    fail,
    in_range,
    integer,
    positive_int,
)
from keras_regopt.augmentation.text import _tables
from keras_regopt.augmentation.text._keyed import ReplacingAugmentation
from keras_regopt.augmentation.text._targets import taken
from keras_regopt.augmentation.text.functional import _draws, _order, _spans

# The streams of the draws of spans: begins, lengths; then which of the three
# things happens, and the random token.
_STARTS, _LENGTHS, _COIN, _TOKEN = 0, 1, 2, 3


@register
class TokenMasking(ReplacingAugmentation):
    """Masks tokens, as BERT and SpanBERT do, and makes the labels for it.

    For pretraining, the model has to tell the masked tokens; as an
    augmentation, it has to do without them. A token is chosen with the
    probability `fraction`; a chosen one becomes `mask_id` with the
    probability `mask_rate`, a random token with `random_rate`, and stays as
    it is otherwise. Spans of neighbours are chosen together with `mean_span`
    above 1, and whole words with `continuations`. Padding, special tokens and
    what is masked already are never chosen.

    With `labels=True`, the inputs must be a dict, and two entries of the shape
    of the ids are added: `token_labels`, the ids before, and `token_weights`,
    1 for the chosen tokens and 0 for the rest, the sample weights of a loss.
    In inference nothing is masked, and all weights are 0.

    Args:
        mask_id: The id of the mask token.
        fraction: How many of the tokens are chosen, from 0 to 1. Defaults to
            `0.15`.
        vocabulary_size: The number of ids, from which random tokens are drawn
            evenly, without padding, special ids and `mask_id`. Defaults to
            `None`: random tokens come from the same text.
        mask_rate: Probability from 0 to 1 that a chosen token becomes
            `mask_id`. Defaults to `0.8`.
        random_rate: Probability that it becomes a random token, such that the
            sum with `mask_rate` is at most 1. Defaults to `0.1`.
        mean_span: Mean length of the spans, at least 1, in tokens or, with
            `continuations`, in words. Their lengths have a geometric
            distribution, up to `longest_span`; `5.0` is that of SpanBERT,
            whose mean is then 3.8. Spans may overlap. Defaults to `1.0`.
        longest_span: The longest span, at least 1. Defaults to `10`.
        continuations: One truth value for each id: whether such a token goes
            on with the word of the token before, as BERT's `##ing` does. Then
            words are chosen as a whole. It is saved with the layer. Defaults
            to `None`: each token is a word.
        labels: Whether to add the labels. Defaults to `False`.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that never change. Defaults to `()`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a text changes at all), and
            `name` and `dtype` of a Keras layer.

    Input shape:
        Integers `(length,)` or `(batch, length)`, or a dict; see
        `TokenAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, if `mask_rate` and
            `random_rate` are above 1 together, or if an id is outside of the
            vocabulary; and in a call with `labels=True`, if the inputs are no
            dict, or have such labels already.

    Examples:
        >>> layer = TokenMasking(mask_id=4, fraction=0.5, labels=True, seed=0)
        >>> ids = np.array([[11, 12, 13, 14, 15, 16, 0, 0]])
        >>> data = layer({"token_ids": ids})
        >>> sorted(data)
        ['token_ids', 'token_labels', 'token_weights']
        >>> weights = keras.ops.convert_to_numpy(data["token_weights"])
        >>> masked = keras.ops.convert_to_numpy(data["token_ids"]) == 4
        >>> bool((weights[masked] == 1).all()), weights[0, 6:].tolist()
        (True, [0.0, 0.0])

    References:
        Devlin et al. 2019, BERT (arXiv 1810.04805); Joshi et al. 2020,
        SpanBERT (arXiv 1907.10529).
    """

    def __init__(
        self,
        mask_id: int,
        fraction: float = 0.15,
        vocabulary_size: int | None = None,
        mask_rate: float = 0.8,
        random_rate: float = 0.1,
        mean_span: float = 1.0,
        longest_span: int = 10,
        continuations: Any = None,
        labels: bool = False,
        padding_id: int = 0,
        special_ids: Sequence[int] = (),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            fraction=fraction,
            padding_id=padding_id,
            special_ids=special_ids,
            seed=seed,
            **kwargs,
        )
        self.mask_id = integer(self, "mask_id", mask_id, low=0)
        self.mask_rate = in_range(self, "mask_rate", mask_rate, 0, 1)
        self.random_rate = in_range(self, "random_rate", random_rate, 0, 1)
        if self.mask_rate + self.random_rate > 1 + 1e-9:
            allowed = f"at most 1 - mask_rate = {1 - self.mask_rate:g}"
            fail(self, "random_rate", allowed, random_rate)
        self.mean_span = in_range(self, "mean_span", mean_span, low=1)
        self.longest_span = positive_int(self, "longest_span", longest_span)
        self.labels = boolean(self, "labels", labels)
        self._take_vocabulary(vocabulary_size, continuations)
        self._chances = _spans.geometric_chances(
            self.mean_span, self.longest_span
        )

    def _take_vocabulary(self, size, continuations):
        """Keeps what is known of the vocabulary, checked."""
        size = positive_int(self, "vocabulary_size", size, optional=True)
        self.continuations = continuations
        if continuations is not None:
            self.continuations = _tables.flags(
                self, "continuations", continuations, size
            )
        self.vocabulary_size = size
        self._usable = None
        if size is not None:
            name = "vocabulary_size"
            _tables.check_ids(self, size, name, mask_id=self.mask_id)
            self._usable = _tables.usable_ids(self, size, self.mask_id)

    # With labels, elements that are not augmented get theirs, too.

    @property
    def acts_in_inference(self):
        return self.labels

    def sample(self, shape, seed):
        drawn = super().sample(shape, seed)
        acts = self.ops.ones((shape[0],), "float32")
        return {**drawn, "acts": acts} if self.labels else drawn

    def inference_parameters(self, shape):
        if not self.labels:
            return None
        return {
            "key": self.ops.zeros((shape[0],), "int32"),
            "acts": self.ops.zeros((shape[0],), "float32"),
        }

    def read(self, inputs):
        if self.labels and isinstance(inputs, dict):
            for key in {"token_labels", "token_weights"} & set(inputs):
                raise ValueError(
                    f"The inputs of {type(self).__name__} must not hold "
                    f"'{key}' already if `labels=True`. Received: keys="
                    f"{sorted(inputs)}"
                )
        return super().read(inputs)

    def advance(self, tensor, targets, parameters, chosen, shape):
        parameters = self.resolved(tensor, targets, parameters)
        changed = self.move_targets(targets, parameters, chosen, shape)
        if self.labels:
            changed["token_labels"] = tensor
            changed["token_weights"] = parameters["weights"]
        return self.run(tensor, parameters, chosen), changed

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = self.free(inputs, context)
        free = ops.logical_and(free, inputs != self.mask_id)
        ids = ops.cast(inputs, "int32")
        picked = ops.logical_and(free, self._picked(ids, free, parameters))
        if self.labels:
            acts = parameters["acts"][:, None] > 0
            picked = ops.logical_and(picked, acts)
        bits = self.bits(inputs, parameters, _COIN)
        masked = _draws.happens(bits, self.mask_rate)
        other = _draws.happens(bits, self.mask_rate + self.random_rate)
        new = ops.where(other, self._random_ids(ids, free, parameters), ids)
        new = ops.where(masked, self.mask_id, new)
        resolved = {**parameters, "ids": ops.where(picked, new, ids)}
        if self.labels:
            resolved["weights"] = ops.cast(picked, "float32")
        return resolved

    def _picked(self, ids, free, parameters):
        """Which tokens, or words, are chosen, also of those not free."""
        ops = self.ops
        picked = _spans.covered(
            parameters["key"],
            ops.shape(ids)[1],
            self.fraction,
            self._chances,
            (_STARTS, _LENGTHS),
        )
        if self.continuations is None:
            return picked
        table = ops.convert_to_tensor(self.continuations)
        known = ops.clip(ids, 0, len(self.continuations) - 1)
        goes_on = ops.take(table, known, axis=0)
        goes_on = ops.logical_and(goes_on, ids < len(self.continuations))
        # Behind a special token, a word begins.
        goes_on = ops.logical_and(goes_on[:, 1:], free[:, :-1])
        first = ops.zeros_like(free[:, :1])
        goes_on = ops.concatenate([first, goes_on], axis=1)
        words = _spans.word_numbers(ops.logical_not(goes_on))
        return ops.take_along_axis(picked, words, axis=1)

    def _random_ids(self, ids, free, parameters):
        """A random token for each, from the vocabulary or from the text."""
        ops = self.ops
        if self._usable is None:
            index = _order.random_index(free, parameters["key"], _TOKEN)
            good = ops.take_along_axis(free, index, axis=1)
            return ops.where(good, taken(ids, index, 0), ids)
        bits = self.bits(ids, parameters, _TOKEN)
        index = _draws.whole_numbers(bits, len(self._usable))
        return ops.take(ops.convert_to_tensor(self._usable), index, axis=0)
