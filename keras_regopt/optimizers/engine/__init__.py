"""What all optimizers run on: base, state, steps of each backend."""
