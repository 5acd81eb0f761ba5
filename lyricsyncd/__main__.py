"""``python -m lyricsyncd`` is ``lyricsyncd``."""

from lyricsyncd.cli import main

main()
