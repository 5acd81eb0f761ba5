"""Serve the control interface: status, songs, lyrics and events over HTTP.

One table of operations (`operations`) makes both the routes and the OpenAPI document, so the two
cannot differ. Nothing here decides anything about songs: events go to `lyricsyncd.library.events`,
queries to the catalog.
"""
