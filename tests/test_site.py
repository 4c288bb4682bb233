"""The built pages in a browser, on a screen and on a phone.

`make docs` builds them and runs this.
"""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SITE = ROOT / "docs" / "_build" / "html"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))),
    shutil.which("google-chrome"),
)
pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here"),
    pytest.mark.skipif(
        not (SITE / "index.html").exists(), reason="`make docs` has not run"
    ),
]

WIDTHS = (1280, 400)
# Pages, and what a reader finds there.
PAGES = {
    "index.html": ("Begin with", "diagnosis"),
    "search.html?q=StochasticDepth": ("layers.StochasticDepth",),
    "optimizers.html": ("AdamW", "Lookahead"),
    "_api/keras_regopt.layers.html": ("DropBlock2D", "Zoneout"),
    "_api/keras_regopt.optimizers.AdaBelief.html": (
        "beta_1",
        "measured",
    ),
    "augmentation_gallery.html": ("RandomAffine", "CutMix"),
    "concepts/search.html": ("The problem", "measured"),
    "benchmarks/index.html": ("All ratios", "RandomGamma"),
}
# One document holds all pages, so that the browser starts once.
PROBE = """<!doctype html><title>probe</title><pre id="found"></pre><script>
const found = [];
const frames = FRAMES.map(([page, width]) => {
  const frame = document.createElement("iframe");
  frame.width = width;
  frame.height = 800;
  frame.src = "SITE/" + page;
  document.body.append(frame);
  return [page, width, frame];
});
setTimeout(() => {
  for (const [page, width, frame] of frames) {
    const root = frame.contentDocument.documentElement;
    found.push({page, width, content: root.scrollWidth,
                shown: root.clientWidth,
                text: frame.contentDocument.body.innerText});
    frame.remove();
  }
  document.getElementById("found").textContent =
    encodeURIComponent(JSON.stringify(found));
}, 8000);
</script>"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the browser shows of each page at each width."""
    directory = tmp_path_factory.mktemp("browser")
    frames = [(page, width) for page in PAGES for width in WIDTHS]
    probe = directory / "probe.html"
    probe.write_text(
        PROBE.replace("FRAMES", json.dumps(frames)).replace(
            "SITE", SITE.as_uri()
        )
    )
    command = [
        BROWSER,
        *("--headless=new", "--no-sandbox", "--disable-gpu"),
        # Without it, a page on the disk may not look into another.
        "--allow-file-access-from-files",
        *("--virtual-time-budget=20000", "--dump-dom"),
        f"--user-data-dir={directory / 'profile'}",
        probe.as_uri(),
    ]
    document = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=180
    ).stdout
    found = re.search(r'id="found">([^<]+)<', document)[1]
    pages = json.loads(urllib.parse.unquote(found))
    return {(page["page"], page["width"]): page for page in pages}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_the_page(seen, page, width):
    measured = seen[page, width]
    assert measured["content"] <= measured["shown"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_the_names_are_there(seen, page, width):
    for name in PAGES[page]:
        assert name in seen[page, width]["text"]
