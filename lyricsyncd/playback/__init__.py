"""Make songs visible and playable for the page: their peaks, and renditions for browsers."""
