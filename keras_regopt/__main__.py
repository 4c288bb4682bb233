"""Prints versions, the backends that are installed, and all objects.

python -m keras_regopt
"""

import importlib.metadata
import platform

import keras

import keras_regopt
from keras_regopt._catalogue import rows

BACKENDS = ("tensorflow", "jax", "torch")


def version_of(package):
    """The version of an installed package, or `None`."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def main():
    print(
        f"keras_regopt {keras_regopt.__version__}, Keras {keras.__version__}, "
        f"Python {platform.python_version()}"
    )
    for backend in BACKENDS:
        version = version_of(backend) or "not installed"
        used = backend == keras.backend.backend()
        print(f"  {backend:10} {version}{'  (in use)' if used else ''}")
    before = None
    for package, name, summary in rows():
        if package != before:
            print(f"\nkeras_regopt.{package}")
        before = package
        print(f"  {name:26} {summary}")


if __name__ == "__main__":
    main()
