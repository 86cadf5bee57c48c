"""Lab operations that break devices and look at what is on them."""

import errno
import os
import shutil

from . import control, snapshots


WIPE_TRIES_MAX = 100


def _remove_tree(path):
    """Removes a tree in which servers may be making and renaming files meanwhile."""
    for left in reversed(range(WIPE_TRIES_MAX)):
        try:
            return shutil.rmtree(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT) or not left:
                raise
            if not os.path.exists(path):
                return None


class DamageOperations:
    """Mixed into Lab."""

    def device_path(self, device):
        """The folder with a device's content, from outside the lab and whether mounted or not."""
        path = self.layout.backing(device)
        # A tmpfs is mounted only inside; the holder's root leads there.
        return f'/proc/{self.holder_pid}/root{path}' if self.spec.tmpfs else path

    def wipe(self, device):
        """Deletes everything on a device, as if the disk had been replaced and formatted."""
        root = self.device_path(device)
        for name in os.listdir(root):
            if name == '.ismount':
                continue
            path = os.path.join(root, name)
            if os.path.isdir(path) and not os.path.islink(path):
                _remove_tree(path)
            else:
                os.unlink(path)

    def unmount(self, device):
        """Takes the device away: its servers answer 507. Needs mount_check."""
        if not self.spec.mount_check:
            raise RuntimeError('without mount_check Swift does not notice an unmounted device')
        self._ask('unmount', device=device)

    def mount(self, device):
        self._ask('mount', device=device)

    def corrupt(self, device, relative_path, offset=None):
        """Flips one bit of one byte of a file (default: its middle); xattrs and times stay."""
        path = os.path.join(self.device_path(device), relative_path)
        stat = os.stat(path)
        if stat.st_size == 0:
            raise ValueError(f'{relative_path} is empty')
        offset = stat.st_size // 2 if offset is None else offset
        with open(path, 'r+b') as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x40]))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def snapshot(self, device):
        """The manifest of every file of a device; see snapshots."""
        return snapshots.take(self.device_path(device))

    def object_files(self, device, ending='.data'):
        """Relative paths of a device's object files, sorted."""
        root = self.device_path(device)
        return sorted(os.path.relpath(os.path.join(folder, name), root)
                      for folder, _folders, names in os.walk(root)
                      for name in names
                      if name.endswith(ending) and os.path.relpath(folder, root).startswith('obj'))

    def fault(self, **rule):
        """Adds one rule to the fault proxy; see fault_rules.Rule for the fields."""
        control.ask(self.layout.fault_socket, {'op': 'add', 'rule': rule})

    def clear_faults(self):
        """Removes all rules and lets go of every connection that a rule made hang."""
        control.ask(self.layout.fault_socket, {'op': 'clear'})

    def traffic(self, reset=False):
        """Requests seen by the fault proxy: {server number: {verb: count}}."""
        counts = control.ask(self.layout.fault_socket, {'op': 'counts', 'reset': reset})['counts']
        return {int(number): verbs for number, verbs in counts.items()}

    def record_wire(self, folder):
        """Records all connections below `folder` from now on; None stops."""
        control.ask(self.layout.fault_socket, {'op': 'record', 'folder': folder})
