"""Pure functions of strings, which compute with TensorFlow."""
