"""A page in headless Chromium: what a script finds in it."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, which .ci/packages installs")
_RESULT = re.compile(r'<pre id="result">(.*?)</pre>', re.DOTALL)
_RUN = """<script>
addEventListener("load", async () => {
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify(await (async () => { SCRIPT })());
  document.body.append(result);
});
</script></html>"""


def evaluated(folder: Path, page: str, script: str, *options: str) -> Any:
    """Return as JSON what an asynchronous script returns at the end of a page."""
    file = folder / "page.html"
    file.write_text(page.removesuffix("</html>") + _RUN.replace("SCRIPT", script), encoding="utf-8")
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900", *options]
    command += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=60000", "--dump-dom"]
    ran = subprocess.run([*command, file.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    found = _RESULT.search(ran.stdout)
    assert found, ran.stdout[-2000:] + ran.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


def framed(pages: dict[str, str], widths: tuple[int, ...]) -> str:
    """A page of frames that show each page at each width; a window cannot be as narrow as a phone."""
    frames = [
        f'<iframe title="{name} {width}" width="{width}" height="900" style="border:0" '
        f'srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in widths
    ]
    return f"<!doctype html><html><body>{''.join(frames)}</body></html>"
