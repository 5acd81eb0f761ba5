"""What Navidrome does with a plugin, done with the same runtime (Extism): load the package, check
it, and call it with the host function that Navidrome lends it.

After Navidrome's own `plugins/manifest.go`, `manifest-schema.json` and `host/http.go`.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import extism

PERMISSIONS: dict[str, dict[str, type]] = {
    "http": {"reason": str, "requiredHosts": list},
    "subsonicapi": {"reason": str},
    "scheduler": {"reason": str},
    "websocket": {"reason": str, "requiredHosts": list},
    "artwork": {"reason": str},
    "cache": {"reason": str},
    "library": {"reason": str, "filesystem": bool},
    "kvstore": {"reason": str, "maxSize": str},
    "users": {"reason": str},
}
SCROBBLER = {
    f"nd_scrobbler_{name}"
    for name in ("is_authorized", "now_playing", "scrobble", "playback_report")
}


class Package:
    """An .ndp file, and calls of what is in it.

    Parameters
    ----------
    data : bytes
        The file.
    config : mapping
        What an administrator has set; empty for nothing.
    """

    def __init__(self, data: bytes, config: Mapping[str, str]) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            self.names = archive.namelist()
            self.manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
            self.wasm = archive.read("plugin.wasm")
        self.config = dict(config)
        self.requests: list[dict[str, Any]] = []

    def call(self, function: str, input: object, *, spaced: bool = False) -> Any:
        """Call an export in an instance of its own, as Navidrome does.

        Raises
        ------
        extism.Error
            It says that it failed.
        """
        output = self.call_raw(function, _as_go(input, spaced=spaced))
        return json.loads(output.decode("utf-8")) if output else None

    def call_raw(self, function: str, input: bytes) -> bytes:
        """The same with bytes that need not be JSON."""

        plugin = self._instance()
        return bytes(plugin.call(function, input))

    def exports(self) -> set[str]:
        """The functions that Navidrome finds in it."""
        plugin = self._instance()
        wanted = {"nd_lyrics_get_lyrics", "nd_scheduler_callback", "nd_on_init", *SCROBBLER}
        return {name for name in wanted if plugin.function_exists(name)}

    def _instance(self) -> extism.Plugin:
        @extism.host_fn(  # type: ignore[untyped-decorator]
            name="http_send",
            namespace="extism:host/user",
            signature=([extism.ValType.I64], [extism.ValType.I64]),
        )
        def http_send(plugin: Any, inputs: Any, outputs: Any) -> None:
            asked = json.loads(bytes(plugin.memory(plugin.memory_at_offset(inputs[0]))))["request"]
            self.requests.append(asked)
            answer = _as_go(_sent(asked), spaced=False)
            memory = plugin.alloc(len(answer))
            plugin.memory(memory)[:] = answer
            outputs[0].value = memory.offset

        wasm = {"wasm": [{"data": self.wasm}]}
        return extism.Plugin(wasm, config=self.config, functions=[http_send])


def _as_go(value: object, *, spaced: bool) -> bytes:
    """JSON as Go writes it: compact, UTF-8, and with <, > and & escaped."""
    separators = (", ", ": ") if spaced else (",", ":")
    text = json.dumps(
        value, ensure_ascii=False, separators=separators, indent=2 if spaced else None
    )
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8")


def _sent(request: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request in Navidrome's shape over a real socket."""
    parts = urlsplit(request["url"])
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=request["timeoutMs"] / 1000
    )
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = base64.b64decode(request.get("body", ""), validate=True)
    try:
        sent = {name: value.encode("utf-8") for name, value in request["headers"].items()}
        connection.request(request["method"], target, body or None, sent)
        response = connection.getresponse()
        headers = {name.title(): value for name, value in response.getheaders()}
        content = base64.b64encode(response.read()).decode()
        return {"result": {"statusCode": response.status, "headers": headers, "body": content}}
    except OSError as error:
        return {"error": f'{request["method"]} "{request["url"]}": {error}'}
    finally:
        connection.close()


def complaints(manifest: Mapping[str, Any], exports: set[str]) -> list[str]:
    """What Navidrome would refuse a plugin for."""
    found = []
    known = {"name", "author", "version", "description", "website", "permissions", "config"}
    found += [f"unknown: {key}" for key in manifest.keys() - known - {"experimental"}]
    found += [f"missing: {key}" for key in ("name", "author", "version") if not manifest.get(key)]
    permissions = manifest.get("permissions", {})
    for name, content in permissions.items():
        shape = PERMISSIONS.get(name)
        if shape is None:
            found.append(f"unknown permission: {name}")
            continue
        for key, value in content.items():
            if not isinstance(value, shape.get(key, ())):
                found.append(f"permission {name}: {key}")
    if "subsonicapi" in permissions and "users" not in permissions:
        found.append("subsonicapi without users")
    if "scheduler" in permissions and "nd_scheduler_callback" not in exports:
        found.append("scheduler without its callback")
    if exports & SCROBBLER and "users" not in permissions:
        found.append("a scrobbler without users")
    if exports & SCROBBLER and not exports >= SCROBBLER:
        found.append("half a scrobbler")
    return found + _config_complaints(manifest.get("config", {}))


def _config_complaints(config: Mapping[str, Any]) -> list[str]:
    schema, layout = config.get("schema", {}), config.get("uiSchema", {})
    properties = schema.get("properties", {})
    found = [] if schema.get("type") == "object" else ["the config is no object"]
    for name, shape in properties.items():
        if "pattern" in shape and not re.search(shape["pattern"], shape.get("default", "")):
            found.append(f"the default of {name} does not fit")
    scopes = {element["scope"] for element in layout.get("elements", [])}
    if scopes != {f"#/properties/{name}" for name in properties}:
        found.append("the form does not show what there is")
    return found
