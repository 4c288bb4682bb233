"""The version, apart, so that it can be read without importing Keras."""

__version__ = "0.1.0"
