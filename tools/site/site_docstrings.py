"""For the site: the section `Example` of our docstrings, which Griffe, their reader, calls `Examples`."""

import re

import griffe


class OneExample(griffe.Extension):
    """Reads `Example:` as `Examples:`."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.M)
