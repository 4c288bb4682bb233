import os
import stat

import pytest

from keras_regopt._files import rename, replaced, written

pytestmark = pytest.mark.any_backend


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    return path


def names(path):
    return [entry.name for entry in path.parent.iterdir()]


def test_replaces_a_file_once_it_is_whole(path):
    with replaced(path) as draft:
        with open(draft, "w") as file:
            file.write("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert names(path) == ["file.txt"]


def test_makes_a_file_that_others_may_read(path):
    path.unlink()
    with replaced(path, ".part") as draft:
        assert draft.endswith(".part")
        assert os.path.dirname(draft) == str(path.parent)
        with open(draft, "w") as file:
            file.write("after")
    usual = path.with_name("usual")
    usual.write_text("")
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (path, usual)}
    assert len(modes) == 1


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_leaves_the_file_and_no_other_after_an_error(path, error):
    def write():
        with replaced(path) as draft, open(draft, "w") as file:
            file.write("after")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "before"
    assert names(path) == ["file.txt"]


@pytest.mark.parametrize("to_write", ["replaced", "written"])
def test_flushes_before_the_name_is_given(path, to_write, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    replace = os.replace
    monkeypatch.setattr(
        os, "replace", lambda *a: (calls.append("rename"), replace(*a))
    )
    if to_write == "replaced":
        with replaced(path) as draft, open(draft, "w") as file:
            file.write("after")
    else:
        draft = path.with_name("draft")
        with written(draft), open(draft, "w") as file:
            file.write("after")
        rename(draft, path)
    folder = ["fsync"] if os.name == "posix" else []
    assert calls == ["fsync", "rename", *folder]
    assert path.read_text() == "after"
