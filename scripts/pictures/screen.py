# SPDX-License-Identifier: GPL-2.0
"""Draws a terminal's text with its colours, on standard input, as SVG: screen.py TITLE."""

import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

# Without the web fonts of rich's own template.
FORMAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; fill: #c5c8c6; }}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""

screen = Text.from_ansi(sys.stdin.read(), no_wrap=True)
with open("/dev/null", "w", encoding="utf-8") as nowhere:
    console = Console(record=True, width=80, height=24, file=nowhere, color_system="standard", force_terminal=True)
    console.print(screen, end="")
    print(console.export_svg(title=sys.argv[1], theme=MONOKAI, code_format=FORMAT, unique_id="screen"), end="")
