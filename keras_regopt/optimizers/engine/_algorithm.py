"""What an optimizer writes of its own."""

import keras


class Algorithm:
    """What a subclass of `Optimizer` writes, and what it is without.

    It names its state in `slot_names` and writes its algorithm once, as a
    function of tensors, in `formula`. What must be known of all variables
    before any of them moves belongs into `step_values`.
    """

    # State whose first value is not zero: its name and the argument that says.
    initial_values: dict[str, str] = {}

    # Whether the formula takes norms or uses `Step.own`, so that variables
    # which lie together must be rows of a matrix.
    in_rows = False

    # Whether the weight decay is part of the formula, or of a `prepared` of its
    # own. Else the variables decay before.
    decays_itself = False

    # Whether a step knows what to do with a `tf.IndexedSlices`.
    takes_sparse_gradients = False

    # Whether its files say whose state they hold. Keras' do not.
    names_its_state = True

    # The step on lists of torch tensors, one of `_torch_fused.py`, where torch
    # does in one call what the formula says.
    torch_step = None

    @property
    def runs_formula(self):
        """Whether the step is a formula that no `update_step` overrides."""
        order = type(self).__mro__
        formula, update_step = (
            next(i for i, cls in enumerate(order) if name in vars(cls))
            for name in ("formula", "update_step")
        )
        return order[formula] is not Algorithm and formula <= update_step

    @property
    def decays_before(self):
        """Whether variables decay before their `update_step`, as in Keras."""
        return not self.runs_formula and not self.decays_itself

    def slot_names(self):
        """The names of the state of each variable, in the order of the file.

        Returns:
            A list of tuples. Within a tuple the states of one variable stand
            side by side in the file, one tuple follows the other.
        """
        return []

    def has_slot(self, name, variable):
        """Whether a variable has a state, where not all have it.

        Args:
            name: The name of the state.
            variable: The variable.

        Returns:
            A Python `bool`; in `formula`, state that is not there is `None`.
        """
        return True

    def slot_spec(self, name, variable):
        """Shape and dtype of a state, which are those of its variable.

        Where the shape is another one, `kind_of` must be `None`.

        Args:
            name: The name of the state.
            variable: The variable.

        Returns:
            A tuple of integers, and a string.
        """
        dtype = keras.backend.standardize_dtype(variable.dtype)
        return tuple(variable.shape), dtype

    def step_values(self, gradients, variables, learning_rate):
        """What all variables of a step share, computed once.

        It comes to `formula` as `step.values`; where it is something, it is the
        fourth argument of an `update_step`. The gradients are complete: summed
        over the replicas, unscaled and clipped. An optimizer-wide variable may
        be assigned here.

        Args:
            gradients: The gradients of the step, a list of tensors.
            variables: The variables that they belong to.
            learning_rate: The learning rate, without the groups' factors.

        Returns:
            A tensor, or a list, tuple or dict of tensors; or `None`.
        """
        return None

    def norms(self, index, variable, gradient, norm):
        """The norms that the formula needs of what is known beforehand.

        Apart from the formula, since TensorFlow takes the norm of something
        large faster than its compiler does.

        Args:
            index: The index of the variable among those of the model.
            variable: Its value.
            gradient: Its gradient.
            norm: The `norm` of the `Step`.

        Returns:
            A tuple of tensors.
        """
        return ()

    def prepared(self, variable, gradient, step):
        """Value and gradient as the formula takes them; here with the decay."""
        if step.decay and not self.decays_itself:
            variable = variable - variable * (step.rate * step.decay)
        return variable, gradient

    def formula(self, variable, gradient, slots, step):
        """The algorithm, as a function of tensors.

        It acts on each entry by itself, but for `step.norm`: small variables
        come to it together, large ones in pieces. See `kind_of`.

        Args:
            variable: The value of the variable, prepared.
            gradient: Its gradient, prepared.
            slots: Its state, a list in the order of `slot_names`.
            step: A `Step`.

        Returns:
            The new value, and the list of the new state.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`formula(self, variable, gradient, slots, step)`, or "
            "`update_step(self, gradient, variable, learning_rate)`."
        )

    # `direction(variable, gradient, slots, step)`, which returns an update and
    # the list of the new state, and `rate_along(update, step)`: the two halves
    # of a formula that needs the norm of what it has computed for its rate.
    # Where large variables come in pieces, the halves are run one by one.
    direction = None
    rate_along = None

    def kind_of(self, index, variable):
        """What variables must have in common to be treated as one.

        Args:
            index: The index of the variable among those of the model.
            variable: The variable.

        Returns:
            A tuple, or `None` for a variable that must stay alone and whole.
        """
        return (
            self.rate_factors[index],
            self.decay_factors[index],
            self._use_weight_decay(variable),
        )

    def may_compile(self, index):
        """Whether TensorFlow's compiler may have the step of a variable.

        Args:
            index: The index of the variable among those of the model.

        Returns:
            A Python `bool`.
        """
        return True

    def restart(self):
        """Begins again from the weights as they are now.

        Call it after the weights were replaced, as by `model.set_weights`:
        what an optimizer keeps of where the weights were does not fit the new
        ones. Momentum and the like, and the number of steps, stay. Most
        optimizers keep no such thing, and then this does nothing.
        """
        return

    def upgraded_state(self, values):
        """The state of a file from before it named its variables, as today.

        Args:
            values: List of arrays.

        Returns:
            A list of arrays.
        """
        return values
