"""systemd, really running: process 1 of namespaces of its own, on a root that it cannot write to.

What it may write (``/etc``, ``/var``, ``/run`` and the like) are throw-away layers in memory. Needs
root, and a systemd to boot; see `why_not`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
SYSTEMD = next(
    (path for path in map(Path, ("/lib/systemd/systemd", "/usr/lib/systemd/systemd"))
     if path.exists()), None
)  # fmt: skip
PROJECT, PYTHON = Path("/srv/lyricsyncd/project"), Path("/srv/lyricsyncd/python")
"""Where the code and its environment are shown: they may lie where a service sees nothing."""
_TIMEOUT_S = 120.0

_BOOT = """
set -e
B=$1 ROOT=$2 PYTHON=$3
mount -t tmpfs none $B
mkdir $B/whole
mount --bind / $B/whole
mount -o remount,bind,ro $B/whole
cd $B/whole
for each in etc var root; do
    mkdir -p $B/$each/upper $B/$each/work
    mount -t overlay none -o lowerdir=/$each,upperdir=$B/$each/upper,workdir=$B/$each/work $each
done
for each in run tmp srv home mnt; do mount -t tmpfs -o mode=755 none $each; done
chmod 1777 tmp
# A Python that lies in root's home can be run by all.
chmod 711 root
mkdir -p srv/lyricsyncd/project srv/lyricsyncd/python srv/music
mount --rbind $ROOT srv/lyricsyncd/project
mount --rbind $PYTHON srv/lyricsyncd/python
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
for each in null zero full random urandom tty; do
    touch dev/$each; mount --bind /dev/$each dev/$each
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs none dev/shm
touch dev/console
mount --bind $B/../console dev/console
# Nothing of this computer is to be started: no units of its own, and a target with next to nothing.
rm -rf etc/systemd/system etc/fstab etc/lyricsyncd var/lib/lyricsyncd var/cache/lyricsyncd
mkdir -p etc/systemd/system run/systemd/system
echo 0123456789abcdef0123456789abcdef > etc/machine-id
printf '[Unit]\nRequires=basic.target systemd-journald.service\nWants=dbus.socket\n\
After=basic.target\nAllowIsolate=yes\n' > etc/systemd/system/test.target
mount --make-rprivate /
mkdir mnt/old
pivot_root . mnt/old
cd /
umount -l /mnt/old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin $SYSTEMD --system \
    --unit=test.target --log-target=journal
"""


def why_not() -> str:
    """Why there can be none here; empty if there can."""
    if os.geteuid() != 0 or SYSTEMD is None or shutil.which("nsenter") is None:
        return "root, systemd and nsenter are needed to boot a system"
    tried = subprocess.run(
        ["unshare", "--fork", "--pid", "--mount", "--cgroup", "true"], capture_output=True
    )
    return "" if tried.returncode == 0 else "namespaces cannot be made here"


class Machine:
    """A booted system, in which commands can be run as root.

    Parameters
    ----------
    folder : Path
        An empty one; what the system says on its console comes to lie there.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "root").mkdir()
        self.console = folder / "console"
        self.console.touch()
        spaces = ["--fork", "--pid", "--mount", "--cgroup", "--uts", "--ipc", "--kill-child"]
        script = _BOOT.replace("$SYSTEMD", str(SYSTEMD))
        self._process = subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", script, "sh", folder / "root", ROOT, sys.prefix],
            stdin=subprocess.DEVNULL,
            stdout=self.console.open("ab"),
            stderr=subprocess.STDOUT,
        )
        self.until(lambda: self._first() is not None, "it boots")
        self.until(
            lambda: (
                "0 loaded" in self.run("systemctl", "list-jobs", "--no-legend", "x")
                or self.status("systemctl", "is-active", "-q", "test.target") == 0
            ),
            "it is up",
        )

    def _first(self) -> int | None:
        """systemd's process id out here."""
        if self._process.poll() is not None:
            raise AssertionError(f"it did not boot: {self.console.read_text(errors='replace')}")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for child in map(int, children.read_text().split()):
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return None

    def _command(self, arguments: tuple[str | Path, ...]) -> list[str]:
        inside = f"nsenter -t {self._first()} -m -u -i -p -C -r -w env -i".split()
        path = f"PATH={PYTHON}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        variables = (path, f"PYTHONPATH={PROJECT}", "HOME=/root", "LANG=C.UTF-8")
        return [*inside, *variables, *map(str, arguments)]

    def status(self, *arguments: str | Path) -> int:
        """Run a command; its exit status."""
        return subprocess.run(self._command(arguments), capture_output=True).returncode

    def run(self, *arguments: str | Path) -> str:
        """Run a command that must succeed or say why; what it says."""
        done = subprocess.run(self._command(arguments), capture_output=True, text=True)
        return done.stdout + done.stderr

    def lyricsyncd(self, *arguments: str | Path) -> str:
        """Run our command; it must succeed."""
        command = self._command((PYTHON / "bin/python", "-m", "lyricsyncd", *arguments))
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> str:
        """The command lines of all that runs in it."""
        return self.run("sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null").replace("\0", " ")

    def shown(self, name: str) -> str:
        """A property of our unit."""
        return self.run("systemctl", "show", "lyricsyncd", "--value", "-p", name).strip()

    def log(self, *options: str) -> str:
        """What our unit said."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", "lyricsyncd", *options)

    def write(self, path: Path, content: bytes) -> None:
        """Make a file in it."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1"'
        command = self._command(("sh", "-c", script, "sh", path))
        subprocess.run(command, input=content, check=True)

    def until(self, true: Callable[[], object], what: str) -> None:
        end = time.monotonic() + _TIMEOUT_S
        while not true():
            assert time.monotonic() < end, f"waited in vain: {what}\n{self.console.read_text()}"
            time.sleep(0.1)

    def stop(self) -> None:
        """End all of it."""
        first = self._first() if self._process.poll() is None else None
        if first is not None:
            os.kill(first, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
