"""Make Markdown as GitHub reads it read the same to Python-Markdown, which wants lists indented by four."""

import re

_ITEM = re.compile(r"([-*+]|\d+[.)])( +)\S")
_FENCE = re.compile(r"(`{3,}|~{3,})")


def widened(text: str) -> str:
    """Indent what belongs to a list item by four per level, and part lists from the paragraph before.

    Lines within a code block keep their places relative to its first line.
    """
    lines: list[str] = []
    inside: list[int] = []  # where the text of each open list item starts, outermost first
    fence, moved = "", 0  # of the open code block: its mark, and how far its lines move to the right
    for line in text.splitlines():
        words, indent = line.lstrip(" "), len(line) - len(line.lstrip(" "))
        if fence:
            lines.append(" " * max(indent + moved, 0) + words if words else "")
            fence = "" if words.startswith(fence) else fence
            continue
        item = _ITEM.match(words)
        if words and (item or not (lines and lines[-1])):  # else the paragraph goes on
            while inside and indent < inside[-1]:
                inside.pop()
        moved = 4 * len(inside) - (inside[-1] if inside else 0)
        if item and lines and lines[-1] and not _in_list(lines[-1]):
            lines.append("")
        lines.append(" " * max(indent + moved, 0) + words if words else "")
        if item:
            inside.append(indent + len(item[1]) + len(item[2]))
        if opened := _FENCE.match(words):
            fence = opened[1]
    return "\n".join([*lines, ""])


def _in_list(line: str) -> bool:
    """Return whether a written line is, or goes on, an item of a list; the row of a table does not."""
    words = line.lstrip(" ")
    return not words.startswith("|") and (line.startswith("    ") or bool(_ITEM.match(words)))
