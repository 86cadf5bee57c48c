"""Where everything of a lab is: folders, devices, addresses. Pure arithmetic, no I/O."""

import dataclasses
import os

PORT_BASE = 6200
REPLICATION_PORT_BASE = 6600
PROXY_ADDRESS = ('127.0.0.251', 8080)
ACCOUNT_ADDRESS = ('127.0.0.252', 6002)
CONTAINER_ADDRESS = ('127.0.0.253', 6001)
LOG_IP = '127.0.0.254'
LOG_PORT_BASE = 5140


@dataclasses.dataclass(frozen=True)
class Node:
    """One object server with its devices. `number` counts from 1."""

    number: int
    device_names: tuple
    fault_proxy: bool
    has_replication_server: bool = False

    @property
    def name(self):
        return f'object-server-{self.number}'

    @property
    def replication_name(self):
        return f'replication-server-{self.number}'

    @property
    def replication_port(self):
        """Where the ring says that other nodes' daemons find this one."""
        return (REPLICATION_PORT_BASE + self.number if self.has_replication_server
                else self.port)

    @property
    def replication_conf(self):
        """What the replication server and the node's daemons read, as seen inside the lab."""
        if not self.has_replication_server:
            return self.conf
        return f'/etc/swift/object-server/{self.number}-replication.conf'

    @property
    def ring_ip(self):
        """The address in the rings: the server's, or that of the fault proxy before it."""
        return f'127.0.0.{self.number}'

    @property
    def bind_ip(self):
        return f'127.0.1.{self.number}' if self.fault_proxy else self.ring_ip

    @property
    def port(self):
        """The same for the ring and the server, because Swift compares both to find its devices."""
        return PORT_BASE + self.number

    @property
    def log_port(self):
        return LOG_PORT_BASE + self.number

    @property
    def conf(self):
        """The configuration file as seen inside the lab."""
        return f'/etc/swift/object-server/{self.number}.conf'


class Layout:
    """The places of one lab, for a folder and a spec."""

    def __init__(self, directory, spec):
        self.directory = os.path.abspath(directory)
        self.spec = spec
        names = [f'd{number}' for number in range(1, spec.devices + 1)]
        self.nodes = [Node(number, tuple(names[number - 1::spec.servers]), spec.fault_proxy,
                           spec.replication_server is not None)
                      for number in range(1, spec.servers + 1)]
        self._node_of = {name: node for node in self.nodes for name in node.device_names}

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    @property
    def device_names(self):
        return sorted(self._node_of, key=lambda name: int(name[1:]))

    def node(self, number):
        if not 1 <= number <= len(self.nodes):
            raise KeyError(f'no server {number}; there are 1 to {len(self.nodes)}')
        return self.nodes[number - 1]

    def node_of(self, device):
        if device not in self._node_of:
            raise KeyError(f'no device {device!r}; there are {", ".join(self.device_names)}')
        return self._node_of[device]

    def mount_point(self, device):
        """Where the node's services see the device (inside the lab only)."""
        return self.path('srv', str(self.node_of(device).number), device)

    def backing(self, device):
        """Where the device's content is, mounted or not."""
        self.node_of(device)
        return self.path('disk', device)

    @property
    def state_file(self):
        return self.path('lab.json')

    @property
    def control_socket(self):
        return self.path('run', 'control.sock')

    @property
    def fault_socket(self):
        return self.path('run', 'fault.sock')

    @property
    def catalog_file(self):
        return self.path('catalog.json')

    def folders(self):
        """Every folder that must exist before the holder starts."""
        yield from (self.path(name) for name in ('etc/object-server', 'run', 'log', 'scratch',
                                                 'srv/db/db1'))
        for node in self.nodes:
            yield self.path('cache', str(node.number))
            for device in node.device_names:
                yield self.mount_point(device)
                yield self.backing(device)
