"""The ordinary form of `make test-faults` for searches."""

import pytest
from killing import report_of

pytestmark = [pytest.mark.any_backend, pytest.mark.long]


def test_searches_that_are_killed_find_what_others_find():
    report = report_of("kill_searches.py", 2)
    assert report["differences"] == []
    assert report["kills"] == 2
    # The first kind has promotions, whose backups are files, too.
    assert report["kinds"]["asha"] == 2
    assert report["moments"]["before a file has its name"] >= 1
