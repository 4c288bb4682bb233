def pytest_configure(config):
    # Keras' own test files, which are run here against our callbacks, use it.
    config.addinivalue_line(
        "markers", "requires_trainable_backend: set by Keras' own tests"
    )
