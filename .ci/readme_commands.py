"""The README's path in, its two set-up commands out, one a line.

They are the fenced `bash` blocks of the section "Set up", one command each.
"""

import re
import sys
from pathlib import Path

SECTION = re.compile(r"^## Set up\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def setup_commands(text):
    """The two commands; a ValueError says what is wrong where there are not exactly two."""
    sections = SECTION.findall(text)
    if len(sections) != 1:
        raise ValueError(f'expected one section "## Set up", found {len(sections)}')
    commands = [block.strip() for block in BLOCK.findall(sections[0])]
    if len(commands) != 2 or any(not command or "\n" in command for command in commands):
        raise ValueError(f'expected two ```bash blocks of one line each under "## Set up", found {commands}')
    return commands


if __name__ == "__main__":
    try:
        print(*setup_commands(Path(sys.argv[1]).read_text(encoding="utf-8")), sep="\n")
    except ValueError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
