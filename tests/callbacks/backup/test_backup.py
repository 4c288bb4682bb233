"""The files of a backup, and what can go wrong with them."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import zipfile

import keras
import ml_dtypes
import numpy as np
import pytest
from interrupted import InterruptAfter, Interruption, arrays, model, train

from keras_regopt.callbacks import EarlyStopping, FaultTolerant
from keras_regopt.callbacks.backup._backup_directory import BackupDirectory
from keras_regopt.callbacks.backup._backup_format import (
    read_backup,
    write_backup,
)

CONTENT = {
    "plain": [None, True, -3, 0.1, 2**80, "text", []],
    "not finite": float("inf"),
    7: {"nested": {}},
    "arrays": [
        np.arange(6, dtype="int64").reshape(2, 3),
        np.array(1.5, ml_dtypes.bfloat16),
        np.zeros((0, 4), "float32"),
        np.array([True, False]),
        np.asfortranarray(np.eye(2, 3)),
    ],
    "number": np.float32(0.1),
}


def written(content):
    file = io.BytesIO()
    write_backup(file, content)
    return file.getvalue()


@pytest.mark.any_backend
def test_a_backup_is_read_as_it_was_written():
    content = read_backup(io.BytesIO(written(CONTENT)))
    arrays = content.pop("arrays")
    number = content.pop("number")
    rest = {k: v for k, v in CONTENT.items() if k not in ("arrays", "number")}
    assert content == rest
    assert (number.dtype, number) == ("float32", np.float32(0.1))
    for array, expected in zip(arrays, CONTENT["arrays"], strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
        assert array.shape == expected.shape


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "content",
    [{"a": [object()]}, [np.array([None])], {("a", "b"): 1}],
)
def test_what_is_no_plain_value_is_refused_and_named(content):
    with pytest.raises(TypeError, match="the backup"):
        written(content)


def foreign_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.weights.h5", b"0")
    return file.getvalue()


def of_a_later_version(whole):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        with zipfile.ZipFile(io.BytesIO(whole)) as old:
            document = json.loads(old.read("backup.json"))
        archive.writestr("backup.json", json.dumps({**document, "version": 99}))
    return file.getvalue()


def with_a_flipped_bit(whole):
    # In the middle of an array.
    place = whole.index(np.arange(6, dtype="int64").tobytes()) + 9
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


BROKEN = {
    "empty": lambda whole: b"",
    "truncated": lambda whole: whole[: len(whole) // 2],
    "flipped": with_a_flipped_bit,
    "foreign": lambda whole: b"epoch,loss\n0,1.5\n",
    "foreign zip": lambda whole: foreign_zip(),
    "later version": of_a_later_version,
}


@pytest.mark.any_backend
@pytest.mark.parametrize("damage", BROKEN)
def test_a_damaged_backup_falls_back_to_the_one_before(tmp_path, damage):
    directory = BackupDirectory(tmp_path)
    directory.open()
    for epoch in (1, 2):
        directory.write({"epoch": epoch, **CONTENT})
    latest, previous = tmp_path / "backup.zip", tmp_path / "previous.zip"
    latest.write_bytes(BROKEN[damage](latest.read_bytes()))
    with pytest.warns(UserWarning, match=r"goes on from the backup before it"):
        assert directory.read()["epoch"] == 1
    previous.write_bytes(BROKEN[damage](previous.read_bytes()))
    with pytest.raises(ValueError, match="There is no backup to go on from"):
        directory.read()
    directory.close()


def interrupt(directory, make=model, guarded=(), after=7):
    """Leaves backups behind: the last one in the second epoch."""
    callbacks = [FaultTolerant(list(guarded), directory, 2), *guarded]
    with pytest.raises(Interruption):
        make().fit(
            **arrays(),
            epochs=4,
            verbose=0,
            callbacks=[*callbacks, InterruptAfter(after)],
        )
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def go_on(directory, make=model, guarded=(), epochs=4):
    callbacks = [FaultTolerant(list(guarded), directory, 2), *guarded]
    return make().fit(**arrays(), epochs=epochs, verbose=0, callbacks=callbacks)


@pytest.mark.any_backend
def test_a_training_with_two_damaged_backups_does_not_begin_anew(tmp_path):
    interrupt(tmp_path)
    for name in ("backup.zip", "previous.zip"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"is empty.*is empty.*To start over"):
        go_on(tmp_path)


@pytest.mark.any_backend
def test_from_the_backup_before_comes_the_same_end(tmp_path):
    expected = train(tmp_path / "whole")[0]["loss"]
    keras.utils.set_random_seed(0)
    interrupt(tmp_path)
    (tmp_path / "backup.zip").unlink()
    assert go_on(tmp_path).history["loss"] == expected


def wider():
    built = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2),
            keras.layers.Dense(1),
        ]
    )
    built.compile("sgd", "mse", run_eagerly=True, jit_compile=False)
    return built


def with_another_optimizer():
    return model(keras.optimizers.Adam())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "difference"),
    [
        (wider, r"'sequential/dense/kernel' of shape \(3, 1\).*\(3, 2\)"),
        (
            with_another_optimizer,
            r"the optimizer variable '(?i:sgd)/.*'(?i:adam)/",
        ),
    ],
)
def test_a_backup_of_another_model_names_the_first_difference(
    tmp_path, make, difference
):
    files = interrupt(tmp_path)
    with pytest.raises(ValueError, match=difference):
        go_on(tmp_path, make)
    assert files == {
        path.name: path.read_bytes() for path in tmp_path.iterdir()
    }


@pytest.mark.any_backend
def test_a_backup_of_another_training_is_refused(tmp_path):
    interrupt(tmp_path, guarded=[EarlyStopping("loss")])
    with pytest.raises(ValueError, match=r"callbacks \['EarlyStopping'\]"):
        go_on(tmp_path)
    with pytest.raises(ValueError, match="`fit` shall end with epoch 1"):
        go_on(tmp_path, guarded=[EarlyStopping("loss")], epochs=1)


@pytest.mark.any_backend
def test_a_backup_of_another_backend_is_refused(tmp_path):
    interrupt(tmp_path)
    directory = BackupDirectory(tmp_path)
    directory.write({**directory.read(), "backend": "numpy"})
    with pytest.raises(ValueError, match="made on the backend 'numpy'"):
        go_on(tmp_path)


@pytest.mark.any_backend
def test_a_full_disk_leaves_the_last_backup_whole(tmp_path):
    directory = BackupDirectory(tmp_path)
    directory.open()
    directory.write({"epoch": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large.*is whole"):
            directory.write({"epoch": 2, "array": np.zeros(1000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert directory.read() == {"epoch": 1}
    assert not (tmp_path / "backup.tmp").exists()
    directory.close()


@pytest.mark.any_backend
def test_a_disk_that_fails_in_fit_ends_the_training_with_its_name(
    tmp_path, monkeypatch
):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    files = interrupt(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*is whole"):
        go_on(tmp_path)
    assert files == {
        path.name: path.read_bytes() for path in tmp_path.iterdir()
    }


@pytest.mark.any_backend
def test_a_directory_that_cannot_be_written_is_told_before_training(
    tmp_path, monkeypatch
):
    def read_only(path, flags, mode=0o777):
        raise PermissionError(30, "Read-only file system")

    trained = model()
    before = trained.get_weights()
    # The permissions of files do not hold for the superuser.
    monkeypatch.setattr(
        "keras_regopt.callbacks.backup._backup_directory.os.open", read_only
    )
    with pytest.raises(OSError, match=r"Read-only file system. There is no"):
        trained.fit(
            **arrays(), verbose=0, callbacks=[FaultTolerant([], tmp_path)]
        )
    np.testing.assert_array_equal(before[0], trained.get_weights()[0])


@pytest.mark.any_backend
def test_a_file_in_the_place_of_the_directory_is_told(tmp_path):
    path = tmp_path / "backup"
    path.write_text("")
    with pytest.raises(OSError, match="cannot be used for backups"):
        go_on(path)


@pytest.mark.any_backend
def test_another_process_is_kept_out(tmp_path):
    directory = BackupDirectory(tmp_path)
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'w');"
        "fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        other.stdout.readline()
        with pytest.raises(RuntimeError, match="Another training is using"):
            directory.open()
        other.communicate(b"\n")
    directory.open()
    directory.close()
