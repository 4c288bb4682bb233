"""The one hook into the train step of a model.

A *feature* acts inside of the train step: it is registered for a model, is
built into each train function that the model makes from then on, and is put
back when it is unregistered. From the outside to the inside, whatever the
order of registration:

1. `PENDING`: values that variables get before the next step. JAX holds all
   values outside of the variables, so they come before anything reads them.
2. `SWITCHING`: `SAM`, `MSAM` and the schedule-free optimizers train at other
   weights than the model is used with. All that follows sees the former.
3. `FREEZING`: on JAX, an optimizer takes the values of all its variables,
   frozen ones included. These stand in the state after the switch; the
   gradients are filled up before the next one looks at them.
4. `GRADIENTS`: what is computed of the gradients as they come to the
   optimizer, before anything in it changes them.
5. `ATTRIBUTES`: numbers of an optimizer that change with each step, such as
   the momentum. They are in place for its own update alone.

features.py    the order, and the base of the features
hook.py        registers features and builds them into the train function
overrides.py   replaced methods of one object
jax_state.py (pending values), switching.py, freezing.py, gradients.py,
    attributes.py with step_number.py: one feature each
"""

from keras_regopt._train_step.attributes import StepAttributes
from keras_regopt._train_step.features import (
    ATTRIBUTES,
    FREEZING,
    GRADIENTS,
    PENDING,
    Feature,
)
from keras_regopt._train_step.freezing import Freezing
from keras_regopt._train_step.gradients import Gradients
from keras_regopt._train_step.hook import (
    hook_models,
    register,
    remake_functions,
    unregister,
)
from keras_regopt._train_step.jax_state import (
    PendingValue,
    sync,
)
from keras_regopt._train_step.overrides import override, replaced, take_back
from keras_regopt._train_step.switching import (
    note_step,
    switching_optimizers,
)

__all__ = [
    "ATTRIBUTES",
    "FREEZING",
    "GRADIENTS",
    "PENDING",
    "Feature",
    "Freezing",
    "Gradients",
    "PendingValue",
    "StepAttributes",
    "hook_models",
    "note_step",
    "override",
    "register",
    "remake_functions",
    "replaced",
    "switching_optimizers",
    "sync",
    "take_back",
    "unregister",
]
