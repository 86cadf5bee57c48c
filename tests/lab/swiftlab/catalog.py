"""What must be in a lab: for each object its history and the etag of its last PUT."""

import json
import os


class Catalog:
    """Objects by (account, container, name), kept in <lab>/catalog.json."""

    def __init__(self, path):
        self._path = path
        self._entries = {}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as catalog_file:
                for entry in json.load(catalog_file):
                    self._entries[self._key(entry['history'])] = entry

    @staticmethod
    def _key(history):
        return history['account'], history['container'], history['name']

    def __len__(self):
        return len(self._entries)

    def __iter__(self):
        return iter(self._entries.values())

    def record(self, history, etag):
        """Takes note of a history written to the lab, replacing an older one of the object."""
        self._entries[self._key(history)] = {'history': history, 'etag': etag}

    def save(self):
        with open(self._path + '.tmp', 'w', encoding='utf-8') as out:
            json.dump(list(self._entries.values()), out)
        os.rename(self._path + '.tmp', self._path)
