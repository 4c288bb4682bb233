"""The one room that knows what is private in Keras, by named accessors.

What stands here has no public name in Keras. When a new Keras moves something,
tests/test_keras_boundary.py names the accessor, and this is the only folder to
mend:

- `classes`: classes and functions of `keras.src` that are used as they are
- `scopes`: where and in which mode a computation runs
- `session`: names, seeds and messages that a whole process shares
- `layers`: what a layer or a variable keeps of itself
- `models`: graphs, losses and state of models
- `doubles`: a model in double precision
- `optimizers`: rates, counters and averages of optimizers
- `fitting`: the running `fit`, its data and its callbacks
"""

from keras_regopt._keras.classes import (
    DIVIDES_ACTIVITY_PENALTIES,
    REST_IN_INFERENCE,
    ArrayDataAdapter,
    AutocastScope,
    BaseImagePreprocessingLayer,
    DataLayer,
    DropoutRNNCell,
    EpochIterator,
    Functional,
    PyDatasetAdapter,
    TFDatasetAdapter,
    TorchDataLoaderAdapter,
    print_msg,
    scale_loss_for_distribution,
    unscale_loss_for_distribution,
)
from keras_regopt._keras.doubles import (
    ValuesScope,
    double_precision,
    losses_of,
)
from keras_regopt._keras.fitting import (
    arrays_of,
    dataset_of,
    go_on_with,
    has_iterator,
    is_between_passes,
    loader_of,
    pipeline_of,
    replace_iterator,
    replace_steps,
    running_fit,
    set_dataset,
    set_first_epoch,
    shuffles,
    validation_iterator,
)
from keras_regopt._keras.layers import (
    all_layers,
    autocasts,
    clear_losses,
    direct_layers,
    file_attributes,
    has_value,
    held_tensor,
    layout_of,
    own_losses,
    own_state,
    seed_generators,
    seed_states,
    stored_dtype,
    symbolic_input,
    takes_mask,
    takes_training,
    value_before_tracing,
)
from keras_regopt._keras.models import (
    build_symbolically,
    compiled_loss,
    direction_of,
    draw_before_fit,
    finish_quantization,
    graph_nodes,
    graph_of,
    in_sync,
    input_structure,
    jax_state,
    strategy_of_model,
)
from keras_regopt._keras.optimizers import (
    accumulate,
    accumulated_gradients,
    all_reduced,
    averages_of,
    clipped,
    count_of_calls,
    decay_weights,
    decays,
    held_rate,
    index_of,
    index_or_none,
    is_overwritten,
    move_averages,
    overwrite_with_averages,
    own_variables,
    replace_rate,
    step_of_backend,
    strategy_of,
    trained_variables,
)
from keras_regopt._keras.scopes import (
    data_ops,
    data_random,
    get_stateless_scope,
    in_foreign_tf_graph,
    in_stateless_scope,
    in_symbolic_scope,
    in_tf_graph,
    in_xla_graph,
    is_in_jax_tracing_scope,
)
from keras_regopt._keras.session import (
    automatic_names,
    entry_layer,
    existing_global_seed,
    global_seed_generator,
    in_training,
    kept_kernels,
    make_default_seed,
)
