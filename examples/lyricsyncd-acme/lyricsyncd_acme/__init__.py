"""An acoustic model, a lyrics format and a source of lyrics for lyricsyncd."""
