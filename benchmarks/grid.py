"""The cases of a grid file such as grid.txt, as "unroll bench --grid" reads it too: what all runners time.

A line holds cells with commas between them, one shape T,B,I,H or several, and options KEY=VALUE; grid.txt tells which.
A case that stands there twice comes once.
"""

import re
from dataclasses import dataclass, replace

CELLS = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4, "lstm_peephole": 4}
MODES = ("forward", "train", "step")
PRECISIONS = ("FP64", "FP32", "TF32", "FP16", "BF16")
ALLOWED = {"mode": MODES, "direction": ("one", "both"), "lengths": ("full", "ragged"),
           "precision": PRECISIONS}
ONE = ("direction", "lengths")
EXAMPLE = 'such as "gru,lstm 64,32,512,512 layers=2"'


class BadGrid(Exception):
    """A line is not of that form; the message has its number."""


@dataclass(frozen=True)
class Case:
    """A network at one shape; precisions are those in which it is to be timed, () for all."""
    cell: str
    shape: tuple
    layers: int = 1
    direction: str = "one"
    lengths: str = "full"
    mode: str = "train"
    precisions: tuple = ()
    sets: tuple = ()

    def key(self):
        return replace(self, precisions=(), sets=())

    def is_for(self, precision):
        return not self.precisions or precision in self.precisions

    def fields(self):
        """What the line of JSON of a measurement says of it."""
        found = {"cell": self.cell, **dict(zip("TBIH", self.shape)), "layers": self.layers}
        if self.direction != "one":
            found["direction"] = self.direction
        if self.lengths != "full":
            found["lengths"] = self.lengths
        return {**found, "mode": self.mode}


def of_line(line):
    """The case of a line of JSON."""
    return Case(line["cell"], tuple(line[name] for name in "TBIH"), line.get("layers", 1),
                line.get("direction", "one"), line.get("lengths", "full"), line["mode"])


def words(case):
    """The shape, and what else the case is besides one layer, one direction and full rows."""
    more = variant_words(case.layers, case.direction, case.lengths)
    return ", ".join([",".join(map(str, case.shape)), *([more] if more else [])])


def variant_words(layers, direction, lengths):
    more = [f"{layers} layers"] if layers > 1 else []
    more += ["both directions"] if direction == "both" else []
    more += ["ragged"] if lengths == "ragged" else []
    return ", ".join(more)


def is_single(case):
    """Whether it is one layer in one direction over full rows, and no whole step."""
    return case.layers == 1 and case.direction == "one" and case.lengths == "full" and case.mode != "step"


def sweeps(cases, least=4):
    """Cases that differ in one size alone, at least so many: {(size, the first of them): the cases, ascending}."""
    found = {}
    for case in dict.fromkeys(case.key() for case in cases):
        steps, batch, inputs, hidden = case.shape
        for size, others in (("T", (batch, inputs, hidden)), ("B", (steps, inputs, hidden)),
                             ("H", (steps, batch) if inputs == hidden else None)):
            if others:
                found.setdefault((size, others, replace(case, shape=())), []).append(case)
    return {(size, some[0]): sorted(some, key=lambda case: case.shape)
            for (size, _, _), some in found.items() if len(some) >= least}


def size_of(case, size):
    return case.shape["TBIH".index(size)]


def lengths_of(case):
    """The steps of each row: T, or from T down to about T/2, the longest first."""
    steps, batch = case.shape[:2]
    if case.lengths == "full":
        return [steps] * batch
    return [steps - row * (steps // 2) // batch for row in range(batch)]


def directions(case):
    return 2 if case.direction == "both" else 1


def input_sizes(case):
    """Of each layer; 0 where rows are gathered instead of multiplied."""
    first = 0 if case.mode == "step" else case.shape[2]
    return [first] + [directions(case) * case.shape[3]] * (case.layers - 1)


def operations(case):
    """Of the matrix products: 2*N*D*(I+H)*G*H for each layer, N the steps of all rows and I = D*H above the first;
    step adds 2*N*H*V for the linear layer; three times that for train and step."""
    inputs, hidden = case.shape[2:]
    width = sum(size + hidden for size in input_sizes(case))
    rows = sum(lengths_of(case))
    forward = 2.0 * rows * directions(case) * width * CELLS[case.cell] * hidden
    if case.mode == "step":
        forward += 2.0 * rows * hidden * inputs
    return forward if case.mode == "forward" else 3 * forward


def least_bytes(case):
    """What memory must move at least, in float32: forward reads x and the weights and writes y of each layer; train
    reads dy besides and writes the gradients of x and of the weights; step also moves the moments of Adam."""
    inputs, hidden = case.shape[2:]
    rows = sum(lengths_of(case))
    weights = vectors = 0
    for layer, size in enumerate(input_sizes(case)):
        wide = inputs if layer == 0 else size
        weights += directions(case) * CELLS[case.cell] * hidden * (wide + hidden + 2)
        vectors += size + directions(case) * hidden
    once = weights + rows * vectors
    if case.mode == "forward":
        return 4.0 * once
    if case.mode == "train":
        return 8.0 * once
    head = (hidden + 1) * inputs
    return 4.0 * (2 * (once + head + rows * inputs) + 5 * (weights + head))


def read(path, sets=()):
    """The cases that are in one of some sets, or all, in the order of the file."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            text = re.sub(r"(^|\s)#.*", "", text).strip()
            if text:
                try:
                    add(found, parse(text))
                except ValueError as failure:
                    raise BadGrid(f"{path}, line {number}: {failure}") from None
    if not found:
        raise BadGrid(f"{path} has no line {EXAMPLE}")
    known = dict.fromkeys(name for case in found.values() for name in case.sets)
    for name in sets:
        if name not in known:
            raise BadGrid(f"the grid has no set {name!r}; it has {', '.join(known)}")
    return [case for case in found.values() if not sets or set(sets) & set(case.sets)]


def add(found, cases):
    for case in cases:
        before = found.get(case.key())
        if before:
            both = before.precisions and case.precisions
            case = replace(case, precisions=union(before.precisions, case.precisions) if both else (),
                           sets=union(before.sets, case.sets))
        found[case.key()] = case


def union(first, second):
    return tuple(dict.fromkeys(first + second))


def parse(text):
    """All cases of a line."""
    first, *rest = text.split()
    cells = first.split(",")
    for cell in cells:
        if cell not in CELLS:
            raise ValueError(f"{cell!r} is no cell; there are {', '.join(CELLS)}")
    shapes = [shape_of(word) for word in rest if "=" not in word]
    if not shapes:
        raise ValueError(f"must be cells, shapes and options, {EXAMPLE}, but is {text!r}")
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    for key, value in options.items():
        check(key, value)
    cases = [Case(cell, shape, int(options.get("layers", 1)), options.get("direction", "one"),
                  options.get("lengths", "full"), mode, names(options, "precision"),
                  names(options, "set"))
             for cell in cells for shape in shapes
             for mode in names(options, "mode") or MODES[:2]]
    for case in cases:
        if case.mode == "step" and (case.direction != "one" or case.lengths != "full"
                                    or case.shape[2] < 2):
            raise ValueError("mode step is that of a char-rnn, which has direction one, full lengths"
                             " and a vocabulary, I, of at least 2")
    return cases


def names(options, key):
    return tuple(options[key].split(",")) if key in options else ()


def shape_of(word):
    sizes = word.split(",")
    if len(sizes) != 4 or not all(re.fullmatch(r"[1-9]\d{0,8}", size) for size in sizes):
        raise ValueError(f"a shape must be four integers from 1 up, T,B,I,H, but is {word!r}")
    return tuple(map(int, sizes))


def check(key, value):
    if key == "layers":
        if not re.fullmatch(r"[1-9]\d{0,3}", value):
            raise ValueError(f"layers must be an integer from 1, but is {value!r}")
    elif key in ALLOWED:
        values = value.split(",")
        if not set(values) <= set(ALLOWED[key]) or key in ONE and len(values) > 1:
            raise ValueError(f"{key} must be {'one ' * (key in ONE)}of {', '.join(ALLOWED[key])},"
                             f" but is {value!r}")
    elif key != "set":
        raise ValueError(f"there is no option {key!r}; there are mode, layers, direction, lengths,"
                         " precision and set")
