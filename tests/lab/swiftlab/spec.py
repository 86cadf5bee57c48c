"""What a lab shall be: its parameters, checked, and to and from JSON."""

import dataclasses


class SpecError(ValueError):
    """The parameters of a lab contradict each other."""


@dataclasses.dataclass
class PolicySpec:
    """One storage policy. `ec_type` None means replication with `replicas` copies."""

    index: int
    name: str
    ec_type: str | None = None
    k: int = 0
    m: int = 0
    duplication: int = 1
    segment_bytes: int = 1048576
    replicas: int = 3
    default: bool = False

    @property
    def unique_fragments(self):
        return self.k + self.m

    @property
    def ring_replicas(self):
        """Rows of the policy's ring."""
        return self.unique_fragments * self.duplication if self.ec_type else self.replicas

    @property
    def suffix(self):
        """The ending of data directories and ring names: '' for policy 0, otherwise '-N'."""
        return f'-{self.index}' if self.index else ''


def standard_policies(ec_type='isa_l_rs_cauchy', k=4, m=2, duplication=1, segment_bytes=1048576):
    """Policy 0 with replication, because Swift insists on an index 0, and the EC policy as 1."""
    return [PolicySpec(index=0, name='replicated'),
            PolicySpec(index=1, name='ec', ec_type=ec_type, k=k, m=m, duplication=duplication,
                       segment_bytes=segment_bytes, default=True)]


@dataclasses.dataclass
class LabSpec:
    """All parameters of a lab.

    `object_conf` overrides or adds options of every object-server.conf, by section name; the key
    'app:object-server' is written with paste's `set`, so it wins over [DEFAULT].
    """

    policies: list = dataclasses.field(default_factory=standard_policies)
    servers: int = 4
    devices: int = 8
    part_power: int = 4
    seed: int = 1
    hash_prefix: str = 'lab-prefix'
    hash_suffix: str = 'lab-suffix'
    proxy: bool = False
    fault_proxy: bool = False
    mount_check: bool = False
    tmpfs: bool = False
    tmpfs_mib: int = 1024
    workers: int = 0
    log_level: str = 'INFO'
    replication_concurrency_per_device: int = 1
    # A command (or 'swift') that serves every node's replication port, beside Swift's object server
    # at the client port; None: one port and one server for both.
    replication_server: list | str | None = None
    object_conf: dict = dataclasses.field(default_factory=dict)
    proxy_conf: dict = dataclasses.field(default_factory=dict)

    def check(self):
        if not 1 <= self.servers <= 250:
            raise SpecError('servers must be 1 to 250: each has an address of its own')
        if self.devices < self.servers:
            raise SpecError(f'{self.devices} devices are too few for {self.servers} servers')
        if not self.hash_prefix and not self.hash_suffix:
            raise SpecError('Swift refuses an empty hash prefix together with an empty suffix')
        indexes = [policy.index for policy in self.policies]
        if len(set(indexes)) != len(indexes) or 0 not in indexes:
            raise SpecError(f'policy indexes must be distinct and contain 0, not {indexes}')
        if sum(policy.default for policy in self.policies) != 1:
            raise SpecError('exactly one policy must be the default')
        for policy in self.policies:
            if policy.ring_replicas > self.devices and policy.ec_type:
                raise SpecError(f'policy {policy.index} puts {policy.ring_replicas} fragments on '
                                f'{self.devices} devices; give more devices')

    def policy(self, index=None):
        """The policy with this index; without one the first EC policy, otherwise the default."""
        if index is None:
            ec = [policy for policy in self.policies if policy.ec_type]
            return ec[0] if ec else next(policy for policy in self.policies if policy.default)
        return next(policy for policy in self.policies if policy.index == index)

    def to_dict(self):
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields):
        fields = dict(fields)
        fields['policies'] = [PolicySpec(**policy) for policy in fields['policies']]
        return cls(**fields)

    @classmethod
    def from_options(cls, **options):
        """A spec from flat options, in which ec_type, k, m, ... describe the usual EC policy."""
        names = ('ec_type', 'k', 'm', 'duplication', 'segment_bytes')
        ec = {name: options.pop(name) for name in names if name in options}
        if ec:
            if 'policies' in options:
                raise SpecError(f'give either policies or {sorted(ec)}')
            options['policies'] = standard_policies(**ec)
        spec = cls(**options)
        spec.check()
        return spec
