"""Which file system a path is on, from ``/proc/self/mountinfo`` (see proc(5))."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lyricsyncd.config.paths import is_system_folder

MOUNTINFO = Path("/proc/self/mountinfo")

_NETWORK = {
    "9p", "acfs", "afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gfs2", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
}  # fmt: skip
_NETWORK_FUSE = re.compile(
    r"fuse\.(sshfs|rclone|s3fs|gcsfuse|goofys|glusterfs|ceph.*|curlftpfs|davfs2?|smbnetfs|gvfs.*"
    r"|google-drive-ocamlfuse|blobfuse2?|juicefs|seaweedfs|vmhgfs-fuse)"
)

_PSEUDO = {
    "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs",
    "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nfsd", "nsfs", "proc", "pstore", "rpc_pipefs",
    "securityfs", "selinuxfs", "sysfs", "tracefs",
}  # fmt: skip


def filesystem(path: Path, mountinfo: Path = MOUNTINFO) -> str:
    """Return the type of the file system of a path (``ext4``, ``nfs4``, ``fuse.sshfs``); empty
    where the system does not say. The path need not exist yet."""
    try:
        text = mountinfo.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    target = os.path.realpath(path)
    best, kind = "", ""
    for line in text.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:]:
            continue
        mount_point = _unescaped(fields[4])
        inside = target == mount_point or target.startswith(mount_point.rstrip("/") + "/")
        # The last of several mounts on one point hides the others.
        if inside and len(mount_point) >= len(best):
            best, kind = mount_point, fields[fields.index("-", 6) + 1]
    return kind


def is_of_the_system(folder: Path) -> bool:
    """Return whether a folder holds no files of a person, such as ``/proc``: by its place, or by
    its file system, wherever that is mounted."""
    return is_system_folder(folder) or filesystem(folder) in _PSEUDO


def on_network(kind: str) -> bool:
    """Return whether a type of file system is on another computer."""
    return kind in _NETWORK or _NETWORK_FUSE.fullmatch(kind) is not None


def silent(kind: str) -> bool:
    """Return whether a type of file system does not report changes reliably (through inotify)."""
    return on_network(kind) or kind.startswith("fuse.") or kind in ("fuse", "fuseblk", "virtiofs")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)
