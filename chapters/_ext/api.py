"""A public name of the package, written as code in a sentence, links to the reference."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

import scalinglib

NAME = re.compile(r"(?:sl\.)?(\w+)(?:\(.*\))?", re.S)


class PublicNames(SphinxTransform):
    """Turn literals such as ``sl.bootstrap(fit)`` into references of the Python domain."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Wrap the literals of running text; a heading or a link keeps what it is."""
        for literal in list(self.document.findall(nodes.literal)):
            found = NAME.fullmatch(literal.astext())
            if not found or found[1] not in scalinglib.__all__:
                continue
            if isinstance(literal.parent, nodes.title | nodes.reference | addnodes.pending_xref):
                continue
            link = addnodes.pending_xref(
                "", refdomain="py", reftype="obj", reftarget=f"scalinglib.{found[1]}",
                refexplicit=False, refwarn=True, refdoc=self.env.docname,
            )  # fmt: skip
            literal.replace_self(link)
            link += literal


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_transform(PublicNames)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
