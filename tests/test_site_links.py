"""Every link of the built site leads to a page, and to a place on it.

`make docs` builds the site and runs this; what lies elsewhere is not asked.
"""

import html
import os
import pathlib
import re
import urllib.parse

import pytest

SITE = pathlib.Path(__file__).parent.parent / "docs" / "_build" / "html"
pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.skipif(
        not (SITE / "index.html").exists(), reason="`make docs` has not run"
    ),
]


LINK = re.compile(r'\s(?:href|src)="([^"]+)"')
PLACE = re.compile(r'\s(?:id|name)="([^"]+)"')


class Page:
    """What a page links to, and the places on it that have a name."""

    def __init__(self, text):
        self.links = set(map(html.unescape, LINK.findall(text)))
        self.places = {"", *map(html.unescape, PLACE.findall(text))}


def broken(pages):
    """Each link that leads nowhere, with the page that it stands on."""
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                file = os.path.join(
                    path.parent, urllib.parse.unquote(parts.path)
                )
                target = pathlib.Path(os.path.normpath(file))
            place = urllib.parse.unquote(parts.fragment)
            known = pages[target].places if target in pages else {place}
            if not target.exists() or place not in known:
                yield f"{path.name}: {link}"


def test_every_link_leads_somewhere():
    pages = {
        path: Page(path.read_text())
        for path in sorted(SITE.resolve().rglob("*.html"))
    }
    assert sum(len(page.links) for page in pages.values()) > 5000
    assert sorted(broken(pages)) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<a href="#here" id="here"></a><a href="#there"></a>'
        '<a href="other.html"></a><a href="https://example.com/none"></a>'
    )
    found = sorted(broken({page: Page(page.read_text())}))
    assert found == ["page.html: #there", "page.html: other.html"]
