"""Write rows, size and hash of each table into its descriptions, after a change meant so."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"


def described(text: str, path: str, content: bytes) -> str:
    """The text of ``datapackage.json`` with rows, bytes and hash of one table up to date."""
    digest, rows = hashlib.sha256(content).hexdigest(), content.count(b"\n") - 1
    # The file is edited as text, so that its hand-made layout stays.
    return re.sub(
        rf'("path": "{re.escape(path)}".*?"rows": )\d+(.*?"bytes": )\d+(,\s*"hash": ")[^"]*',
        rf"\g<1>{rows}\g<2>{len(content)}\g<3>sha256:{digest}",
        text,
        count=1,
        flags=re.S,
    )


def main() -> int:
    """Bring ``datapackage.json`` and the counts of ``README.md`` up to date; say what changed."""
    package, readme = DATA / "datapackage.json", DATA / "README.md"
    text, listed = package.read_text(encoding="utf-8"), readme.read_text(encoding="utf-8")
    for path in re.findall(r'"path": "([\w.-]+\.csv)"', text):
        content = (DATA / path).read_bytes()
        new = described(text, path, content)
        print(f"{path}: {'up to date' if new == text else 'rows, size and hash written'}")
        text = new
        name, rows = path.removesuffix(".csv"), content.count(b"\n") - 1
        listed = re.sub(rf"^(\| `{name}` \| )\d+", rf"\g<1>{rows}", listed, flags=re.M)
    for file, new in ((package, text), (readme, listed)):
        # Replaced in one step, so that nobody reads half a file.
        draft = file.with_suffix(".new")
        draft.write_text(new, encoding="utf-8")
        draft.replace(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
