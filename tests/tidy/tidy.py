#!/usr/bin/env python3
# The house rules that a machine can hold: who includes whom, sizes, first lines, names in docs.
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Room -> rooms whose headers it may include (itself always). Kept as the picture in ARCHITECTURE.md.
MAY_INCLUDE = {
    "kernels/gf": [],
    "kernels/api": ["kernels/gf"],
    "kernels/cuda": ["kernels/gf", "kernels/api"],
    "host/base": [],
    "transport": ["host/base"],
    "scheduler": ["host/base"],
    "host/swift": ["host/base"],
    "host/codec": ["host/base", "scheduler", "kernels/gf", "kernels/api"],
    "host/scan": ["host/base", "host/swift"],
    "host/sync": ["host/base", "host/swift", "host/scan", "transport", "scheduler"],
    "host/server": ["host/base", "host/swift", "host/scan", "transport"],
    "host/demo": ["host/base", "host/swift", "host/codec", "host/server", "transport"],
    "host/app": ["host/base", "host/swift", "host/scan", "host/sync", "host/codec", "host/server",
                 "host/demo", "transport", "scheduler"],
}
LINES_MAX = 500
COLUMNS_MAX = 100
SOURCE = (".cpp", ".hpp", ".cu", ".cuh")
PROSE_AND_SOURCE = SOURCE + (".py", ".md", ".txt", ".sh", ".json", ".cmake")


def tracked():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                             capture_output=True, text=True)
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(folder, name), ROOT)
                 for folder, folders, files in os.walk(ROOT)
                 if not os.path.relpath(folder, ROOT).startswith(("build", ".git"))
                 for name in files]
    return [n for n in names if os.path.isfile(os.path.join(ROOT, n))]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as handle:
        return handle.read()


def room_of(path):
    return max((r for r in MAY_INCLUDE if path.startswith(r + "/")), key=len, default=None)


class Tidy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tracked()
        cls.sources = [f for f in cls.files if f.endswith(SOURCE)]

    def test_rooms_include_only_whom_they_may(self):
        wrong = []
        for name in self.sources:
            room = room_of(name)
            if room is None:
                continue
            for included in re.findall(r'^#include "([^"]+)"', read(name), re.M):
                other = room_of(included)
                if other is None:
                    wrong.append(f"{name}: \"{included}\" is not a path from the root")
                elif other != room and other not in MAY_INCLUDE[room]:
                    wrong.append(f"{name}: {room} may not include {included}")
        self.assertEqual(wrong, [])

    def test_files_stay_short_and_narrow(self):
        wrong = []
        for name in self.sources:
            lines = read(name).splitlines()
            if len(lines) > LINES_MAX:
                wrong.append(f"{name}: {len(lines)} lines, at most {LINES_MAX}")
            wide = [i + 1 for i, line in enumerate(lines) if len(line) > COLUMNS_MAX + 4]
            if wide:
                wrong.append(f"{name}:{wide[0]}: wider than {COLUMNS_MAX} columns")
        self.assertEqual(wrong, [])

    def test_sources_begin_by_saying_what_they_are(self):
        wrong = [n for n in self.sources if not read(n).startswith("// ")]
        self.assertEqual(wrong, [])

    def test_headers_are_guarded(self):
        wrong = [n for n in self.sources
                 if n.endswith((".hpp", ".cuh")) and "#pragma once" not in read(n)]
        self.assertEqual(wrong, [])

    def test_nothing_is_detached_and_no_unfinished_marks(self):
        marks = re.compile(r"asio::detached|\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
        wrong = [f"{n}: {m.group(0)}" for n in self.sources for m in [marks.search(read(n))] if m]
        self.assertEqual(wrong, [])

    def test_no_capturing_lambda_coroutine(self):
        lambda_coroutine = re.compile(r"\[[^\]\n]+\]\s*\([^)]*\)[^{;]*->\s*(asio::a|A)waitable<")
        wrong = [n for n in self.sources if lambda_coroutine.search(read(n))]
        self.assertEqual(wrong, [])

    def test_no_path_of_one_machine(self):
        foreign = re.compile(r"(^|[^A-Za-z0-9_.])/(wo" + r"rk|fa" + r"rm|ho" + r"me/[a-z])/")
        wrong = [n for n in self.files if n.endswith(PROSE_AND_SOURCE) and foreign.search(read(n))]
        self.assertEqual(wrong, [])

    def test_every_folder_of_code_has_a_readme(self):
        folders = set()
        for name in self.sources:
            room = room_of(name)
            if room:
                folders.add(room)
        wrong = [f for f in sorted(folders) if not os.path.exists(os.path.join(ROOT, f, "README.md"))]
        self.assertEqual(wrong, [])

    def test_files_named_in_docs_exist(self):
        wrong = []
        for name in [f for f in self.files if f.endswith(".md")]:
            for path in re.findall(r"`((?:host|kernels|transport|scheduler|tests|bench|docker)/[\w./-]+)`",
                                   read(name)):
                if not os.path.exists(os.path.join(ROOT, path)):
                    wrong.append(f"{name}: {path}")
        self.assertEqual(wrong, [])

    def test_options_named_in_docs_exist(self):
        code = "".join(read(n) for n in self.sources if n.startswith("host/"))
        known = set(re.findall(r"fragmend_[a-z_]+", code))
        wrong = []
        for name in [f for f in self.files if f.endswith(".md")]:
            for option in set(re.findall(r"`(fragmend_[a-z_]+)`", read(name))):
                if option not in known and not option.startswith(("fragmend_selftest", "fragmend_kernel")):
                    wrong.append(f"{name}: {option}")
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    sys.exit(unittest.main())
