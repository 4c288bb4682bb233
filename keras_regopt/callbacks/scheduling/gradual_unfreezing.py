import re
from collections.abc import Sequence

from keras_regopt import _train_step
from keras_regopt._keras import all_layers, trained_variables
from keras_regopt._optimizer_tree import chain, has_members
from keras_regopt._registry import register
from keras_regopt._validate import fail, positive_int
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks._claims import claim
from keras_regopt.callbacks.averaging._live_weights import require_built
from keras_regopt.callbacks.scheduling._trainable_flags import TrainableFlags

TRAINABLE = "Make the layers trainable before `compile`; this callback freezes."


@register
class GradualUnfreezing(Callback):
    """Trains the top of a pretrained model first, and then more and more.

    In the first epochs only the last group of layers is trained, then the
    one before it too, and so on down to the input. That keeps the large
    gradients of a new head from destroying what the model has learned before.

    Leave everything trainable when the model is compiled: this callback
    freezes by itself, and the optimizer then has the slots of all variables
    from the start, in every saved model too. Layers that are frozen when
    `fit` begins stay so. The model is frozen during the batches alone;
    validation, later callbacks and everything after `fit` find it as trainable
    as before.

    Batch normalization in a frozen group runs in inference mode and keeps its
    statistics. Each unfreezing compiles the train function once more. For
    discriminative learning rates, make an optimizer of `keras_regopt` with
    `groups=layerwise_decay(model, 1 / 2.6)`; see `docs/callbacks.md`.

    Args:
        epochs_per_group: Number of epochs from one unfreezing to the next, an
            integer >= 1. Defaults to `1`.
        groups: The groups of layers from the input to the output, a list of
            regular expressions on whole names of layers at any depth, such as
            `["embedding", "block_0", "block_1|block_2", "head"]`. Layers that
            none of them matches are trained from the start. `None` makes a
            group of each entry of `model.layers`. Defaults to `None`.

    Attributes:
        unfrozen: Number of the groups that are trained now.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if a group
            has nothing to train, two groups share a weight, or the optimizer
            was made for a part of the model or is a `MultiOptimizer`.

    Examples:
        >>> layers = [keras.layers.Dense(2, name=n) for n in ("body", "head")]
        >>> model = keras.Sequential([keras.Input((2,)), *layers])
        >>> model.compile("adam", "mse")
        >>> unfreezing = GradualUnfreezing(epochs_per_group=2)
        >>> x = np.ones((4, 2))
        >>> _ = model.fit(x, x, epochs=2, verbose=0, callbacks=[unfreezing])
        >>> unfreezing.unfrozen
        1

    References:
        Howard and Ruder 2018, Universal language model fine-tuning for text
        classification (arXiv 1801.06146).
    """

    state_attributes = ("unfrozen",)

    def __init__(
        self, epochs_per_group: int = 1, groups: Sequence[str] | None = None
    ):
        super().__init__()
        self.epochs_per_group = positive_int(
            self, "epochs_per_group", epochs_per_group
        )
        self.groups = _checked_groups(self, groups)
        self._flags = self._optimizer = None
        self.reset()

    def reset(self):
        self.unfrozen = 0

    def unfreeze(self):
        """Makes all that was trainable before `fit` so again.

        `fit` does it by itself, unless an error ends it.
        """
        if self._flags is not None:
            model = self._flags.model
            self._flags.restore()
            _train_step.unregister(model, _train_step.FREEZING)
            # It was made for a part of the model.
            model.train_function = None
            self._flags = self._groups = None
            self._optimizer = self._trainable = None

    def on_train_begin(self, logs=None):
        self.unfreeze()
        super().on_train_begin(logs)
        model = self.model
        claim(self, "what is frozen")
        require_built(self, model)
        self._groups = self._find_groups()
        self._flags = TrainableFlags(model)
        self._look_at_optimizer()

    def on_epoch_begin(self, epoch, logs=None):
        # Also after a callback has compiled the model again.
        if self.model.optimizer is not self._optimizer:
            self._look_at_optimizer()
        groups = len(self._groups)
        self.unfrozen = min(1 + epoch // self.epochs_per_group, groups)
        frozen = self._groups[: groups - self.unfrozen]
        self._flags.restore(frozen=[x for group in frozen for x in group])
        if self._made_for != self.unfrozen:
            freezing = _train_step.Freezing(self._trainable)
            _train_step.register(self.model, freezing)
            self.model.make_train_function(force=True)
            self._made_for = self.unfrozen

    def on_test_begin(self, logs=None):
        if self._flags is not None:
            self._flags.restore()

    def on_epoch_end(self, epoch, logs=None):
        self._flags.restore()

    def on_train_end(self, logs=None):
        self.unfreeze()
        super().on_train_end(logs)

    def _look_at_optimizer(self):
        self._optimizer = self.model.optimizer
        self._trainable = _built_with(self, self.model)
        self._made_for = None
        # While nothing is frozen, as nothing is when it runs: on JAX it knows
        # what is trainable, where the variables are spread over devices.
        self.model.make_test_function()

    def _find_groups(self):
        """The layers of each group, from the input to the output."""
        model = self.model
        if self.groups is None:
            groups = [[x] for x in model.layers if x.trainable_variables]
            if not groups:
                fail(
                    self,
                    "groups",
                    "of a model that has something to train",
                    model.name,
                    TRAINABLE,
                )
            return groups
        layers = all_layers(model, include_self=False)
        found, owners = [], {}
        for pattern in self.groups:
            group = [x for x in layers if re.fullmatch(pattern, x.name)]
            variables = {id(v): v for x in group for v in x.trainable_variables}
            if not variables:
                names = ", ".join(x.name for x in layers)
                fail(
                    self,
                    "groups",
                    "patterns of layers that have something to train",
                    pattern,
                    f"{TRAINABLE} The layers are: {names}.",
                )
            for key, variable in variables.items():
                other = owners.setdefault(key, pattern)
                if other != pattern:
                    fail(
                        self,
                        "groups",
                        f"patterns that share no weight, as {other!r} and "
                        f"{pattern!r} do with {variable.path!r}",
                        self.groups,
                    )
            found.append(group)
        return found


def _checked_groups(owner, groups):
    if groups is None:
        return None
    allowed = "a list of different regular expressions, or None"
    if not isinstance(groups, (list, tuple)) or not groups:
        fail(owner, "groups", allowed, groups)
    for pattern in groups:
        try:
            re.compile(pattern)
        except (TypeError, re.error):
            fail(owner, "groups", allowed, groups)
    if len(set(groups)) < len(groups):
        fail(owner, "groups", allowed, groups)
    return list(groups)


def _built_with(owner, model):
    """The variables that the optimizer knows, which must be all."""
    optimizer = model.optimizer
    if any(has_members(one) for one in chain(optimizer)):
        fail(
            owner,
            "optimizer",
            "one that can make the step of a part of its variables, which a "
            "MultiOptimizer cannot",
            optimizer,
            "Give one optimizer of keras_regopt `groups` of variables.",
        )
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    known = list(trained_variables(optimizer))
    ids = {id(v) for v in known}
    for variable in model.trainable_variables:
        if id(variable) not in ids:
            fail(
                owner,
                "optimizer",
                "one that was built while everything was trainable",
                optimizer,
                f"It does not know {variable.path!r}. Compile the model again; "
                "this callback freezes by itself.",
            )
    return known
