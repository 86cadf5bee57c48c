"""Lab operations that put objects in and read them back."""

import json
import os
import tempfile

from . import object_plan, proxy_client
from .catalog import Catalog


class FillOperations:
    """Mixed into Lab."""

    @property
    def catalog(self):
        return Catalog(self.layout.catalog_file)

    def fill_fast(self, count=100, sizes=(16384,), **shares):
        """Writes `count` objects straight to the devices; see object_plan.histories for shares."""
        policy = shares.pop('policy', self.spec.policy().index)
        return self.write(object_plan.histories(count, sizes=sizes, policy=policy, **shares))

    def write(self, histories):
        """Writes histories (object_plan) straight to the devices; returns the etags in order."""
        if self.spec.proxy:
            for pair in sorted({(history['account'], history['container'], history['policy'])
                                for history in histories}):
                self.make_container(*pair)
        with tempfile.TemporaryDirectory(dir=self.layout.path('run')) as folder:
            job, result = os.path.join(folder, 'job'), os.path.join(folder, 'result')
            with open(job, 'w', encoding='utf-8') as out:
                json.dump(histories, out)
            self.run_module('fill_fast', self.directory, job, result, timeout_s=3600)
            with open(result, encoding='utf-8') as result_file:
                answer = json.load(result_file)
        self._record(histories, answer['etags'])
        return answer['etags']

    def _record(self, histories, etags):
        catalog = self.catalog
        for history, etag in zip(histories, etags):
            catalog.record(history, etag)
        catalog.save()

    def make_container(self, account, container, policy):
        proxy_client.make_container(self, account, container, self.spec.policy(policy).name)

    def fill_proxy(self, count=20, sizes=(16384,), **shares):
        """Puts `count` objects through the proxy, with the peculiarities of object_plan."""
        policy = shares.pop('policy', self.spec.policy().index)
        histories = object_plan.histories(count, sizes=sizes, policy=policy, **shares)
        for pair in sorted({(history['account'], history['container'], history['policy'])
                            for history in histories}):
            self.make_container(*pair)
        etags = [proxy_client.replay(self, history) for history in histories]
        self._record(histories, etags)
        return etags

    def read_all(self):
        """Reads every object of the catalog through the proxy; returns (read, [complaint])."""
        complaints, count = [], 0
        with proxy_client.connection(self) as link:
            for entry in self.catalog:
                count += 1
                complaint = proxy_client.check(link, entry)
                if complaint:
                    complaints.append(complaint)
        return count, complaints
