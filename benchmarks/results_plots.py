"""The plots of results.py: SVG that is readable on light and dark pages, made of lines and marks alone."""

import math
from html import escape

import results_data as data
from results_data import report

MADE = "<!-- Made by benchmarks/results.py. -->"
LIGHT = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#0b7285", "#57606a")
DARK = ("#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#ff7bba", "#d29922", "#22b8cf", "#9ea7b3")
GREY = len(LIGHT) - 1
LEFT, TOP, GAP, BOTTOM = 62, 84, 62, 46


def colours(paper, ink, grid, series):
    return (f".paper{{fill:{paper}}}.ink{{fill:{ink}}}.axis{{stroke:{ink};fill:none}}"
            f".grid{{stroke:{grid};fill:none}}"
            + "".join(f".c{n}{{stroke:{colour};fill:{colour}}}.o{n}{{stroke:{colour};fill:{paper}}}"
                      f".l{n}{{stroke:{colour};fill:none}}" for n, colour in enumerate(series)))


STYLE = ("text{font:12px system-ui,sans-serif}.title{font-weight:bold}"
         + colours("#ffffff", "#1f2328", "#d1d9e0", LIGHT)
         + "@media(prefers-color-scheme:dark){" + colours("#0d1117", "#e6edf3", "#30363d", DARK) + "}")


class Axis:
    """A logarithmic axis: values from low to high lie from begin to end, in pixels."""

    def __init__(self, values, begin, end, margin=1.15):
        self.low, self.high = min(values) / margin, max(values) * margin
        self.begin, self.end = begin, end

    def at(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self):
        """1, 2 and 5 times powers of ten, or the powers alone where there are many."""
        found = [step * 10.0 ** power
                 for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
                 for step in (1, 2, 5)]
        found = [value for value in found if self.low <= value <= self.high]
        tens = [value for value in found if f"{value:e}".startswith("1.0")]
        return tens if len(found) > 8 and len(tens) > 1 else found

    def apart(self, values, least=30):
        """Those of ascending values that lie far enough from the one before to be written."""
        kept = []
        for value in sorted(values):
            if not kept or abs(self.at(value) - self.at(kept[-1])) >= least:
                kept.append(value)
        return kept


class Picture:
    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.parts = [f'<rect class="paper" width="{width}" height="{height}"/>']
        self.title = title
        for n, row in enumerate(title.split("\n")):
            self.text(12, 22 + 18 * n, row, bold=n == 0)

    def text(self, x, y, what, anchor="start", bold=False, turn=False):
        more = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        kind = "ink title" if bold else "ink"
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
                          f"{escape(what)}</text>")

    def line(self, points, kind, dashed=False, width=1.5):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<polyline class="{kind}" points="{path}" stroke-width="{width}"{dash}/>')

    def mark(self, x, y, colour, peer=False, square=False, hint=""):
        """A filled mark is Unroll's, a hollow one the peer's."""
        kind = f'class="{"o" if peer else "c"}{colour}" stroke-width="1.5"'
        inside = f"<title>{escape(hint)}</title>"
        if square:
            self.parts.append(f'<rect {kind} x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7">'
                              f"{inside}</rect>")
        else:
            self.parts.append(f'<circle {kind} cx="{x:.1f}" cy="{y:.1f}" r="4">{inside}</circle>')

    def frame(self, x, y, names, title, ticks=None):
        """Axes with their names, ticks and a grid."""
        for value in x.ticks() if ticks is None else ticks:
            self.line([(x.at(value), y.begin), (x.at(value), y.end)], "grid", width=1)
            self.text(x.at(value), y.begin + 15, f"{value:g}", "middle")
        for value in y.ticks():
            self.line([(x.begin, y.at(value)), (x.end, y.at(value))], "grid", width=1)
            self.text(x.begin - 6, y.at(value) + 4, f"{value:,.0f}" if value >= 1 else f"{value:g}", "end")
        self.line([(x.begin, y.end), (x.begin, y.begin), (x.end, y.begin)], "axis", width=1)
        self.text((x.begin + x.end) / 2, y.begin + 33, names[0], "middle")
        self.text(x.begin - 48, (y.begin + y.end) / 2, names[1], "middle", turn=True)
        self.text(x.begin, y.end - 8, title)

    def legend(self, entries, x=12, y=60):
        """entries: (text, colour, hollow, square) one behind the other."""
        for text, colour, peer, square in entries:
            self.mark(x + 5, y - 4, colour, peer, square)
            self.text(x + 15, y, text)
            x += 34 + 6.7 * len(text)

    def done(self):
        name = ", ".join(self.title.split("\n"))
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
                f' width="{self.width}" height="{self.height}" role="img">\n{MADE}\n'
                f"<title>{escape(name)}</title>\n<style>{STYLE}</style>\n"
                + "\n".join(self.parts) + "\n</svg>\n")


def heading(run, precision, title):
    return f"{title[0].upper()}{title[1:]}, {precision}\n{run.device()}, {run.date()}"


def kinds(cases, key):
    return list(dict.fromkeys(key(case) for case in cases))


def step_us(case):
    return 1e3 * case["ms"] / case["T"]


def time_per_step(run, precision, title):
    """A panel for each mode and cell; a colour for each B; lines join shapes of the same B."""
    own = data.best_own(run.of_precision(precision))
    peers = {(peer["cell"], report.shape_of(peer), peer["mode"]): peer
             for _, peer in data.pairs(run.of_precision(precision))}
    cells, batches = kinds(own, lambda case: case["cell"]), sorted(kinds(own, lambda case: case["B"]))
    wide, high = 250, 220
    picture = Picture(LEFT + len(cells) * (wide + GAP), TOP + 2 * (high + BOTTOM + 30),
                      heading(run, precision, title))
    picture.legend([("Unroll", GREY, False, False), ("the best peer", GREY, True, True)]
                   + [(f"B={batch}", n % GREY, False, False) for n, batch in enumerate(batches)])
    times = [step_us(case) for case in [*own, *peers.values()]]
    sizes = [case["H"] for case in own]
    for row, mode in enumerate(data.MODES):
        for column, cell in enumerate(cells):
            left, top = LEFT + column * (wide + GAP), TOP + 12 + row * (high + BOTTOM + 30)
            x, y = Axis(sizes, left, left + wide), Axis(times, top + high, top)
            picture.frame(x, y, ("H, units", "µs a step"), f"{cell}, {mode}", x.apart(set(sizes)))
            for n, batch in enumerate(batches):
                some = [case for case in own
                        if (case["cell"], case["mode"], case["B"]) == (cell, mode, batch)]
                some.sort(key=lambda case: (case["H"], case["T"], case["I"]))
                others = [peers[key] for key in ((cell, report.shape_of(case), mode) for case in some)
                          if key in peers]
                series(picture, others, x, y, n % GREY, peer=True)
                series(picture, some, x, y, n % GREY, peer=False)
    return picture.done()


def series(picture, cases, x, y, colour, peer, size="H"):
    points = [(x.at(case[size]), y.at(step_us(case))) for case in cases]
    if len(points) > 1:
        picture.line(points, f"l{colour}", dashed=peer)
    for (across, up), case in zip(points, cases):
        picture.mark(across, up, colour, peer, square=peer, hint=described(case))


def sweeps(cases):
    """{(size, the first of them): cases as grid.py has them}, of all that Unroll has timed."""
    return data.grid.sweeps(data.what_of(case) for case in data.best_own(cases))


def growth(run, precision, title):
    """A panel for each size that grows while the others stay; a colour for each cell and mode."""
    cases = run.of_precision(precision, run.swept)
    best, found = data.best_of(cases), sweeps(cases)
    names = list(dict.fromkeys((what.cell, what.mode) for _, what in found))
    panels = list(dict.fromkeys((size, others(size, what)) for size, what in found))
    wide, high = 300, 240
    picture = Picture(LEFT + len(panels) * (wide + GAP), TOP + high + BOTTOM + 30,
                      heading(run, precision, title))
    picture.legend([("Unroll", GREY, False, False), ("the best peer", GREY, True, True)]
                   + [(f"{cell}, {mode}", n % GREY, False, False) for n, (cell, mode) in enumerate(names)])
    shown = [case for some in found.values() for what in some for case in best[what] if case]
    for column, (size, fixed) in enumerate(panels):
        some = {what: cases for (grows, what), cases in found.items() if (grows, others(grows, what)) == (size, fixed)}
        sizes = [data.grid.size_of(what, size) for same in some.values() for what in same]
        left, top = LEFT + column * (wide + GAP), TOP + 12
        x = Axis(sizes, left, left + wide)
        y = Axis([step_us(case) for case in shown], top + high, top)
        picture.frame(x, y, (size, "µs a step"), fixed, x.apart(set(sizes)))
        for what, same in some.items():
            colour = names.index((what.cell, what.mode)) % GREY
            for side, peer in ((1, True), (0, False)):
                series(picture, [best[each][side] for each in same if best[each][side]], x, y, colour, peer, size)
    return picture.done()


def others(size, what):
    """The sizes that stay."""
    return ", ".join(f"{name}={value}" for name, value in zip("TBIH", what.shape)
                     if name != size and (size, name) != ("H", "I"))


def described(case):
    who = f"{case['software']} {case['setting']}".strip()
    return (f"{who}, {case['cell']}, {case['mode']}, T,B,I,H {report.shape_of(case)}:"
            f" {report.digits(case['ms'])} ms, {report.digits(case['gflops'])} GFLOP/s")


def ratios(run, precision, title):
    """A panel for each cell, a row for each shape; circles are infer, squares train."""
    pairs = data.pairs(run.of_precision(precision))
    cells = kinds((own for own, _ in pairs), lambda case: case["cell"])
    shapes = sorted({report.shape_of(own) for own, _ in pairs},
                    key=lambda shape: (math.prod(map(int, shape.split(","))), shape))
    wide, step, first = 230, 24, 132
    high = step * len(shapes)
    picture = Picture(first + len(cells) * (wide + 24), TOP + 20 + high + BOTTOM + 6,
                      heading(run, precision, title))
    picture.legend([("infer", 0, False, False), ("train", 1, True, True)])
    values = [peer["ms"] / own["ms"] for own, peer in pairs]
    for column, cell in enumerate(cells):
        left, top = first + column * (wide + 24), TOP + 20
        x = Axis([*values, 1], left, left + wide)
        for value in x.apart(x.ticks(), 24):
            picture.line([(x.at(value), top), (x.at(value), top + high)], "grid", width=1)
            picture.text(x.at(value), top + high + 15, f"{value:g}", "middle")
        picture.line([(x.at(1), top), (x.at(1), top + high)], "axis", width=1.5)
        picture.text(left, top - 8, cell)
        picture.text(left + wide / 2, top + high + 34, "the best peer's time / Unroll's", "middle")
        for row, shape in enumerate(shapes):
            up = top + step * (row + 0.5)
            if column == 0:
                picture.text(first - 10, up + 4, shape, "end")
            for own, peer in pairs:
                if (own["cell"], report.shape_of(own)) == (cell, shape):
                    train = own["mode"] == "train"
                    picture.mark(x.at(peer["ms"] / own["ms"]), up, int(train), train, train,
                                 f"{peer['ms'] / own['ms']:.2f}: {described(own)}; {described(peer)}")
    picture.text(first - 10, TOP + 12, "T,B,I,H", "end")
    return picture.done()


def roofline(run, precision, title):
    """Unroll's cases under the ceilings that the run measured; intensity counts what memory must move once."""
    own = data.best_own(run.of_precision(precision))
    cells = kinds(own, lambda case: case["cell"])
    peak, bandwidth = run.peak(precision), run.bandwidth()
    intensity = [data.operations(case) / data.least_bytes(case) for case in own]
    picture = Picture(760, 448, heading(run, precision, title))
    picture.legend([(f"{cell}, {mode}", n % GREY, mode == "train", mode == "train")
                    for n, cell in enumerate(cells) for mode in data.MODES])
    rates = [case["gflops"] for case in own] + ([peak] if peak else [])
    x, y = Axis(intensity, LEFT + 12, 740), Axis(rates, 398, TOP + 14, margin=1.3)
    picture.frame(x, y, ("floating-point operations a byte that memory must move at least", "GFLOP/s"), "")
    if peak:
        picture.line([(x.begin, y.at(peak)), (x.end, y.at(peak))], "axis", dashed=True)
        picture.text(x.end, y.at(peak) - 6, f"{report.digits(peak)} GFLOP/s in registers", "end")
    if bandwidth:
        slope(picture, x, y, bandwidth)
    else:
        picture.text(x.end, y.begin - 10, "the rate of memory was not measured", "end")
    for case, value in zip(own, intensity):
        train = case["mode"] == "train"
        picture.mark(x.at(value), y.at(case["gflops"]), cells.index(case["cell"]) % GREY, train, train,
                     described(case))
    return picture.done()


def slope(picture, x, y, bandwidth):
    """The line of what memory can feed, as far as it lies inside of the frame."""
    low = max(x.low, y.low / bandwidth)
    high = min(x.high, y.high / bandwidth)
    if low < high:
        picture.line([(x.at(low), y.at(low * bandwidth)), (x.at(high), y.at(high * bandwidth))],
                     "axis", dashed=True)
        picture.text(x.at(low) + 8, y.at(low * bandwidth) + 16, f"{report.digits(bandwidth)} GB/s")
