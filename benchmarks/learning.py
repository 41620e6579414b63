#!/usr/bin/env python3
"""Makes the curves and tables of docs/examples, and the table of examples in the project's README.md, from
docs/examples/data, which ci/examples writes.

usage: learning.py           writes them
       learning.py --check   writes nothing; exits 1 and names what is not as the data have it
"""

import json
import os
import sys

import mapping_picture
from results_plots import Picture

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = "docs/examples"
MARKS = ("<!-- figures: begin -->", "<!-- figures: end -->")
README_MARKS = ("<!-- examples: begin -->", "<!-- examples: end -->")
# The order of the index: by what follows the name in the title of a page.
MAPPINGS = ("one to one", "one to many", "many to one", "many to many", "language model", "forecast")
WIDE, HIGH = 560, 250
LEFT, TOP, BOTTOM = 62, 60, 46


class Unusable(Exception):
    pass


class Axis:
    """A linear axis: values from 0, or the least if it is below, to the largest lie from begin to end, in pixels."""

    def __init__(self, values, begin, end):
        self.low, self.high = min(0, *values), max(values)
        self.begin, self.end = begin, end

    def at(self, value):
        return self.begin + (value - self.low) / ((self.high - self.low) or 1) * (self.end - self.begin)

    def ticks(self):
        """Multiples of 1, 2 or 5 times a power of ten, at most seven."""
        span = (self.high - self.low) or 1
        steps = (digit * 10.0 ** power for power in range(-9, 10) for digit in (1, 2, 5))
        step = next(step for step in steps if span / step <= 6)
        return [step * n for n in range(int(self.low / step), int(self.high / step) + 1)]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def frame(picture, x, y):
    for value in x.ticks():
        picture.line([(x.at(value), y.begin), (x.at(value), y.end)], "grid", width=1)
        picture.text(x.at(value), y.begin + 15, f"{value:g}", "middle")
    for value in y.ticks():
        picture.line([(x.begin, y.at(value)), (x.end, y.at(value))], "grid", width=1)
        picture.text(x.begin - 6, y.at(value) + 4, f"{value:g}", "end")
    picture.line([(x.begin, y.end), (x.begin, y.begin), (x.end, y.begin)], "axis", width=1)
    picture.text((x.begin + x.end) / 2, y.begin + 33, "steps", "middle")
    picture.text(x.begin - 48, (y.begin + y.end) / 2, "loss", "middle", turn=True)


def curve(name, runs):
    """The loss of every seed over the steps."""
    picture = Picture(LEFT + WIDE + 20, TOP + HIGH + BOTTOM, f"{name}: loss while it learns")
    picture.legend([(f"seed {run['seed']}", n, False, False) for n, run in enumerate(runs)], y=44)
    x = Axis([runs[0]["steps"]], LEFT, LEFT + WIDE)
    y = Axis([loss for run in runs for loss in run["losses"]], TOP + HIGH, TOP)
    frame(picture, x, y)
    for n, run in enumerate(runs):
        part = run["steps"] / len(run["losses"])
        picture.line([(x.at((i + 0.5) * part), y.at(loss)) for i, loss in enumerate(run["losses"])], f"l{n}")
    return picture.done().replace("results.py", "learning.py")


def number(value):
    return f"{value:.3f}"


def between(values):
    low, high = min(values), max(values)
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def table(head, rows, numbers=True):
    lines = [head, ["---", *["---:" if numbers else "---"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def figures(name, runs):
    """What stands between the marks of a page."""
    first = runs[0]
    rows = [[run["seed"], number(run["losses"][0]), number(run["losses"][-1]), number(run["reached"]),
             number(run["baselineReached"])] for run in runs]
    head = ["seed", "first loss", "last loss", first["measure"], first["baseline"]]
    shown = "\n".join(line for entry in first["shown"] for line in entry.split("\n"))
    return "\n\n".join([
        f"![The loss over the steps for each seed]({name}.svg)",
        table(head, rows),
        f"Losses are means over hundredths of the run. {first['steps']} steps of {first['batch']},"
        f" H={first['hiddenSize']}, on {first['device']}, JDK {first['jdk']}, commit `{first['commit']}`:"
        f" `ci/examples {name}`.",
        f"With seed {first['seed']}:",
        "```\n" + shown + "\n```"])


def index(pages, folder=""):
    """A row for each example, whose page is in a folder as seen from where the table stands."""
    rows = [[mapping, f"[{name}]({folder}{name}.md)", runs[0]["measure"], between([run["reached"] for run in runs]),
             f"{runs[0]['baseline']}: {between([run['baselineReached'] for run in runs])}"]
            for name, mapping, runs in pages]
    return table(["mapping", "example", "measure", "reached", "baseline"], rows, numbers=False)


def filled(path, text, marks, inside):
    begin, end = marks
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise Unusable(f"{path} must hold {begin} once and behind it {end} once; figures go between them")
    return text.split(begin)[0] + begin + "\n" + inside + "\n" + end + text.split(end)[1]


def load(root):
    """(name, mapping, lines of its data) of every example, in the order of the index."""
    folder = os.path.join(root, FOLDER)
    pages = []
    for entry in sorted(os.listdir(os.path.join(folder, "data"))):
        name = entry.removesuffix(".jsonl")
        page = os.path.join(folder, name + ".md")
        if not os.path.exists(page):
            raise Unusable(f"{FOLDER}/data/{entry} needs a page {FOLDER}/{name}.md, titled \"# {name}: MAPPING\"")
        title = read(page).split("\n")[0]
        mapping = title.partition(": ")[2]
        if not title.startswith(f"# {name}: ") or not mapping.startswith(MAPPINGS):
            raise Unusable(f"{FOLDER}/{name}.md is titled \"{title}\", but must be \"# {name}: MAPPING\", and MAPPING"
                           f" begin with one of {', '.join(MAPPINGS)}")
        lines = read(os.path.join(folder, "data", entry)).splitlines()
        runs = [json.loads(line) for line in lines]
        for run in runs:
            better = run["reached"] - run["baselineReached"]
            if (better if run["higherIsBetter"] else -better) <= 0:
                raise Unusable(f"{name}, seed {run['seed']}: {run['reached']} does not beat the baseline's"
                               f" {run['baselineReached']}")
        pages.append((name, mapping, runs))

    def place(page):
        return max(n for n, mapping in enumerate(MAPPINGS) if page[1].startswith(mapping)), page[1]

    return sorted(pages, key=place)


def made(root):
    """All files, {path from the project's root: text}."""
    pages = load(root)
    files = {}
    for name, _, runs in pages:
        path = f"{FOLDER}/{name}.md"
        files[path] = filled(path, read(os.path.join(root, path)), MARKS, figures(name, runs))
        files[f"{FOLDER}/{name}.svg"] = curve(name, runs)
    for path, marks, folder in ((f"{FOLDER}/README.md", MARKS, ""), ("README.md", README_MARKS, FOLDER + "/")):
        files[path] = filled(path, read(os.path.join(root, path)), marks, index(pages, folder))
    files[f"{FOLDER}/mappings.svg"] = mapping_picture.draw()
    return files


def main(arguments, root=ROOT):
    if arguments not in ([], ["--check"]):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    try:
        files = made(root)
    except Unusable as failure:
        print(failure, file=sys.stderr)
        return 1
    wrong = 0
    for path, text in files.items():
        found = os.path.join(root, path)
        if os.path.exists(found) and read(found) == text:
            continue
        if arguments:
            print(f"{path} is not what {FOLDER}/data give; run benchmarks/learning.py")
            wrong = 1
        else:
            with open(found, "w", encoding="utf-8") as file:
                file.write(text)
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
