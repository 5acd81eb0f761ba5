"""Discover songs: scans, file events, events of other programs, and the sidecars beside songs."""
