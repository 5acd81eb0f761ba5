#!/opt/lyricsyncd/bin/python -IS
"""Exit with 0 if the service in this container answers, with 1 and the reason if it does not."""

import http.client
import os
import sys

host, _, port = os.environ.get("LYRICSYNCD_WEB__LISTEN", "").rpartition(":")
if not port.isdigit():
    sys.exit("LYRICSYNCD_WEB__LISTEN names no port")
here = "[::1]" if host == "[::1]" else "127.0.0.1"
try:
    connection = http.client.HTTPConnection(here, int(port), timeout=4)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
except OSError as error:
    sys.exit(f"nothing answers on {here}:{port}: {error}")
if status != http.client.OK:
    sys.exit(f"/healthz answered with status {status}")
