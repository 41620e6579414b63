"""The runs in results/data: what is read from a file of JSON lines, and what may be shown of it.

A file is one run: the lines that peers/compare.py wrote, or those of "unroll bench --grid", "unroll bench --ceilings --json"
and peers/pytorch_rnn.py one after the other. Its name begins with date and time, so that names sort as runs do.
"""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import grid  # noqa: E402
import report  # noqa: E402
from pytorch_table import PEERS  # noqa: E402

MODES = ("infer", "train")
SAME_MODE = {"forward": "infer"}
SAME_CELL = {"rnn": "tanh"}


class Unusable(Exception):
    """A file of data cannot be taken; the message says why."""


class Run:
    """One run. Of a simulated device it has no cases and no ceilings: its figures mean nothing. cases are single layers;
    others have more layers, both directions, ragged rows, or are whole steps of training; swept are cases and those that
    compare.py took only to show how one size grows."""

    def __init__(self, name, lines):
        self.name = name
        self.lines = lines
        self.simulated = any(is_simulated(line) for line in lines)
        timed = [] if self.simulated else [case_of(line) for line in lines if is_case(line)]
        single = [case for case in timed if grid.is_single(what_of(case))]
        self.cases = [case for case in single if case.get("part") != "sweep"]
        self.swept = single
        self.others = [case for case in timed if not grid.is_single(what_of(case))]
        self.ceilings = [] if self.simulated else [line for line in lines if "ceiling" in line]
        self.sources = [line["text"] for line in lines if line.get("kind") == "source"]

    def environment(self):
        """What the run was taken in, from the first lines that tell it."""
        found = {}
        for line in self.lines:
            if line.get("kind") == "environment":
                for key, value in line.items():
                    found.setdefault(key, value)
        for line in self.lines:
            if line.get("software") == "Unroll" or "ceiling" in line:
                for key, same in (("backend", "description"), ("backend", "details"), ("jdk", "jdk"),
                                  ("date", "date"), ("unroll", "unroll"), ("unroll", "version"),
                                  ("commit", "commit")):
                    if same in line:
                        found.setdefault(key, line[same])
        return found

    def device(self):
        """The device, in words that are the same in every run on it."""
        found = self.environment()
        backend = found.get("backend", "unknown")
        hardware = re.match(r"\S+ \((.+?), (GPU|CPU|simulated),", backend)
        return found.get("cpu") or (hardware.group(1) if hardware else backend)

    def date(self):
        return str(self.environment().get("date", "unknown"))[:10]

    def precisions(self):
        """Those of Unroll's cases, in the order of PEERS."""
        own = {case["precision"] for case in self.cases + self.others if report.ours(case["software"])}
        return [precision for precision in PEERS if precision in own]

    def of_precision(self, precision, cases=None):
        """Unroll's cases in a precision, and those of peers that stand against it; of single layers if none are given."""
        return [case for case in (self.cases if cases is None else cases)
                if case["precision"] == precision and report.ours(case["software"])
                or case["precision"] in PEERS[precision] and report.theirs(case["software"])]

    def peak(self, precision):
        """The highest measured GFLOP/s without any memory, or None."""
        if self.simulated:
            return None
        found = [line["gflops"] for line in self.lines if line.get("kind") == "peak"]
        for line in self.ceilings:
            same = {"FP32": line["ceiling"] == "fma"}.get(
                precision, line["ceiling"] == "mma" and precision in line["of"].upper())
            if same and line.get("unit") == "TFLOP/s":
                found.append(1e3 * line["median"])
        return max(found, default=None)

    def bandwidth(self):
        """The highest measured GB/s of a copy, or None."""
        return max((line["median"] for line in self.ceilings
                    if line["ceiling"] == "copy" and line.get("unit") == "GB/s"), default=None)

    def failures(self):
        """[what, how often, why] of all that was to be timed and was not."""
        counts = {}
        for line in self.lines:
            if line.get("kind") == "note":
                what, why = "compare.py", line["text"]
            elif line.get("outcome") in ("failed", "not_run"):
                what, why = f"{line['ceiling']} {line['of']}", line.get("why", "")
            elif "kind" not in line and ("error" in line or "skipped" in line):
                what = " ".join([line.get("software", "?"), line.get("setting", ""),
                                 line.get("precision", "")])
                why = line.get("error") or line["skipped"]
            else:
                continue
            key = (" ".join(what.split()), one_cell(why))
            counts[key] = counts.get(key, 0) + 1
        return [[what, str(count), why] for (what, why), count in counts.items()]


def one_cell(text):
    return " ".join(str(text).replace("|", "/").split())


def is_simulated(line):
    return any("simulated" in str(line.get(key, "")).lower()
               for key in ("description", "details", "caution"))


def is_case(line):
    return line.get("kind", "layer") == "layer" and "ms" in line and "mode" in line


def case_of(line):
    """A timed case in the words of all: a line that report.py takes."""
    case = dict(line)
    case["kind"] = "layer"
    case["cell"] = SAME_CELL.get(line["cell"], line["cell"])
    case["mode"] = SAME_MODE.get(line["mode"], line["mode"])
    case["precision"] = line.get("precision", "FP32")
    words = [line.get("setting", "")]
    if report.theirs(line["software"]) and "precision" in line:
        words.append(line["precision"])
    case["setting"] = " ".join(words).strip()
    case.setdefault("others", 0)
    case["gflops"] = operations(case) / case["ms"] / 1e6
    return case


def what_of(case):
    """What a case is, in the words of grid.py."""
    mode = {same: mode for mode, same in SAME_MODE.items()}.get(case["mode"], case["mode"])
    return grid.of_line({**case, "mode": mode})


def operations(case):
    return grid.operations(what_of(case))


def least_bytes(case):
    return grid.least_bytes(what_of(case))


def best_of(cases):
    """{what is timed: (Unroll's best case or None, the best peer's or None)}"""
    found = {}
    for case in cases:
        found.setdefault(what_of(case), []).append(case)
    return {what: tuple(report.fastest(case for case in same if who(case["software"]))
                        for who in (report.ours, report.theirs)) for what, same in found.items()}


def pairs(cases):
    """(Unroll's best case, the best peer's) of each cell, shape and mode that both have."""
    found = []
    for cell in dict.fromkeys(case["cell"] for case in cases):
        for shape in dict.fromkeys(report.shape_of(case) for case in cases):
            for mode in MODES:
                own = report.best(cases, report.ours, cell, shape, mode)
                peer = report.best(cases, report.theirs, cell, shape, mode)
                if own and peer:
                    found.append((own, peer))
    return found


def best_own(cases):
    """Unroll's best case of each cell, shape and mode."""
    found = {}
    for case in cases:
        if report.ours(case["software"]):
            key = case["cell"], report.shape_of(case), case["mode"]
            found.setdefault(key, []).append(case)
    return [report.fastest(same) for same in found.values()]


def parse(text, name):
    """The run in a text; a last line that was cut off is an error, because nobody would see it missing."""
    lines = []
    for number, row in enumerate(text.splitlines(), 1):
        try:
            line = json.loads(row)
        except ValueError:
            raise Unusable(f"{name}, line {number}: is no JSON: {row[:60]!r}; run it again, or leave"
                           " the line out") from None
        if not isinstance(line, dict):
            raise Unusable(f"{name}, line {number}: must be an object, but is {row[:60]!r}")
        lines.append(line)
    try:
        return Run(name, lines)
    except (KeyError, Unusable) as failure:
        raise Unusable(f"{name}: {failure}") from None


def load(folder):
    """All runs of a folder, the latest first."""
    found = []
    for file in sorted(os.listdir(folder), reverse=True):
        if file.endswith(".jsonl"):
            with open(os.path.join(folder, file), encoding="utf-8") as text:
                found.append(parse(text.read(), file[:-len(".jsonl")]))
    return found
