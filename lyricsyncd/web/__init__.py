"""The control interface: what the service can be asked and told over HTTP.

One table of operations (`operations`) makes both the routes and the OpenAPI document, so the two
cannot differ. Nothing here decides anything about songs: events go to `daemon.intake`, questions to
the catalog.
"""
