"""A terminal of the plainest kind: what is left to see of a program's output that goes back over
its own lines."""

import re

PIECES = re.compile(r"\x1b\[(\d*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


def screen(shown):
    """The lines, without colours. Knows carriage returns, cursor up, erase to the end of the line
    and of the screen; scrolled lines are kept, and the cursor can go back to them."""
    lines, row, column = [""], 0, 0
    for piece in PIECES.finditer(shown):
        text = piece[0]
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif piece[2] == "A":
            row = max(0, row - int(piece[1] or 1))
        elif piece[2] == "K":
            lines[row] = lines[row][:column]
        elif piece[2] == "J":
            lines[row:] = [lines[row][:column]]
        elif piece[2] is None:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text):]
            column += len(text)
    return [line.rstrip() for line in lines]
