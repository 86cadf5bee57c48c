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


def without_comments_and_texts(source):
    """The same lines with nothing in their texts and comments."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: '""' + "\n" * m.group(0).count("\n"), source, flags=re.S)


def conditional_awaits(source):
    """Line numbers of each co_await that is evaluated under a condition, or is a condition itself:
    an operator stands in the same place between brackets and commas as it or what it is part of."""
    source = without_comments_and_texts(source)
    wrong, awaits, operators, conditions = set(), [], set(), set()
    enclosing, slots, word_before = [0], {0: 0}, ""
    tokens = re.finditer(r"\bco_await\b|\b(?:if|while)\b|&&|\|\||[?()\[\],;{}]|\w+", source)
    def settle():
        for place, chain in awaits:
            if not operators.isdisjoint(chain) or not conditions.isdisjoint(g for g, _ in chain):
                wrong.add(source.count("\n", 0, place) + 1)
        awaits.clear()
        operators.clear()
    for number, found in enumerate(tokens, 1):
        word = found.group(0)
        if word in ";{}":
            settle()
        elif word in "([":
            if word_before in ("if", "while"):
                conditions.add(number)
            enclosing.append(number)
            slots[number] = 0
        elif word in ")]" and len(enclosing) > 1:
            enclosing.pop()
        elif word == ",":
            slots[enclosing[-1]] += 1
        elif word in ("?", "&&", "||"):
            operators.add((enclosing[-1], slots[enclosing[-1]]))
        elif word == "co_await":
            awaits.append((found.start(), [(group, slots[group]) for group in enclosing]))
        word_before = word
    settle()
    return sorted(wrong)


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

    def test_a_rooms_readme_names_its_headers(self):
        wrong = []
        for name in self.sources:
            readme = os.path.join(os.path.dirname(name), "README.md")
            if not name.endswith((".hpp", ".cuh")) or room_of(name) is None or readme not in self.files:
                continue
            stem = os.path.splitext(os.path.basename(name))[0]
            if not re.search(rf"\b{re.escape(stem)}\b", read(readme)):
                wrong.append(f"{readme} does not name {stem}")
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

    def test_no_await_under_a_condition(self):
        # g++ 12 destroys the temporaries of such an expression twice.
        for good in ("x = co_await f(a ? b : c);", "if (a) co_await f();", "f(a ? b : c, co_await g);",
                     "for (;;) co_await f();", "a = b && c; co_await d;", "f(a && b); co_await c(d, e);",
                     "while (a) { co_await f(); }", "if (f(a) && b) co_return co_await g();"):
            self.assertEqual(conditional_awaits(good), [], good)
        for bad in ("x = a ? co_await b : c;", "x = co_await a() ? b : c;", "if (co_await f()) g();",
                    "x = a && co_await b();", "while (a && (co_await f(b, c))) g();",
                    "x = f(a, (co_await b(c, d)).e ? f : g);", "return a || f(b, co_await c);"):
            self.assertEqual(conditional_awaits(bad), [1], bad)
        wrong = [f"{n}:{line}" for n in self.sources for line in conditional_awaits(read(n))]
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
