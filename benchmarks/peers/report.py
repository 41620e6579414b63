"""Writes the report of compare.py from the lines that its children have printed."""

import json
import math
import os
import re
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import grid  # noqa: E402

PREFERRED = ("ONNX Runtime", "PyTorch", "DJL", "DL4J")
DISTURBED = 0.15


def markdown(lines, notes):
    parts = [heading(lines), disturbance(lines), peaks(lines), agreement(lines)]
    peak = best_peak(lines)
    for cell in dict.fromkeys(line["cell"] for line in layers(lines)):
        parts.append(cell_table(lines, cell, peak))
    parts += [means(lines), each_peer(lines), settings(lines), characters(lines), classic(lines),
              memory_and_start(lines), growth(lines), variants(lines), absent(lines)]
    if notes:
        parts.append("## What went wrong or is missing\n\n"
                     + "\n".join("* " + note for note in notes))
    return "\n\n".join(part for part in parts if part) + "\n"


def of_kind(lines, kind):
    return [line for line in lines if line.get("kind") == kind]


def layers(lines):
    """Those of single layers that tables and means are made of: not those of sizes that grow, not more layers than
    one, both directions or ragged rows."""
    return [line for line in of_kind(lines, "layer") if line.get("part") != "sweep" and is_single(line)]


def is_single(line):
    """Whether it is of one layer in one direction over full rows."""
    return variant_of(line) == ""


def variant_of(line):
    """What a line is besides its shape, in words; empty of one layer in one direction over full rows."""
    return grid.variant_words(line.get("layers", 1), line.get("direction", "one"), line.get("lengths", "full"))


def ordered(lines, kind, key):
    return list(dict.fromkeys(line[key] for line in of_kind(lines, kind)))


def table(head, rows):
    if not rows:
        return ""
    align = ["---"] + ["---:" if numeric(rows, n) else "---" for n in range(1, len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, align, *rows])


def numeric(rows, column):
    return all(re.fullmatch(r"([\d.,()–]| |to )*", row[column]) for row in rows)


def digits(value):
    """Three significant digits."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def heading(lines):
    env = of_kind(lines, "environment")[0]
    versions = {}
    for line in lines:
        if "version" in line:
            versions[line["software"]] = line["version"]
    written = ", ".join(f"{name} {version}" for name, version in versions.items())
    devices = {line["details"] for line in of_kind(lines, "config") if ours(line["software"])}
    device = "".join(f", {details}" for details in sorted(devices))
    passes = f"{env['passes']} pass" + ("es" if env["passes"] > 1 else "")
    quick = "\n\nA quick look: too short to be published." if env["quick"] else ""
    return (f"# Unroll beside other software, {env['date']}\n\n"
            f"{env['cpu']}, {env['cores']} cores, {env['system']}, {env['jdk']}; {written};"
            f" Unroll at commit {env['commit']}{device}.\n\n"
            f"`{env['command'].strip()}`: {passes}, {env['seconds']:g} s a case. Milliseconds are"
            " medians of a process, the best of all settings and passes on both sides. GFLOP/s ="
            " 2·T·B·(I+H)·G·H, three times that for training. A ratio above 1 says that Unroll"
            " is faster." + quick)


def best_peak(lines):
    found = [line["gflops"] for line in of_kind(lines, "peak")]
    return max(found, default=None)


def peaks(lines):
    found = of_kind(lines, "peak")
    if not found:
        return ""
    said = {}
    for line in found:
        said.setdefault(line["threads"], []).append(f"{line['gflops']:.0f}")
    return ("Multiply-adds in registers, before and after: "
            + "; ".join(f"{threads} thread{'s' if threads > 1 else ''} {' and '.join(values)}"
                        for threads, values in said.items())
            + " GFLOP/s. Shares of the peak below are of the highest.")


def agreement(lines):
    names = ordered(lines, "agree", "software")
    if len(names) < 2:
        return ""
    return ("With the same weights and inputs " + ", ".join(names) + " gave the same sums of y,"
            " and of all gradients where they train, to 1 part in 1000" + agreed_variants(lines) + ".")


def agreed_variants(lines):
    found = {}
    for line in of_kind(lines, "agree"):
        if not is_single(line):
            found.setdefault(variant_of(line), {}).setdefault(line["software"])
    if not found:
        return ""
    return "; besides of one layer, " + "; ".join(f"of {what}: {', '.join(names)}" for what, names in found.items())


def best(lines, who, cell, shape, mode):
    """The line of the lowest median among software for which who(name) is true, or None.

    Lines that others have disturbed count only where there is no other.
    """
    found = [line for line in layers(lines)
             if line["cell"] == cell and shape_of(line) == shape and line["mode"] == mode
             and who(line["software"])]
    return fastest(found)


def shape_of(line):
    return f"{line['T']},{line['B']},{line['I']},{line['H']}"


def ours(name):
    return name == "Unroll"


def theirs(name):
    return name != "Unroll"


def cell_table(lines, cell, peak):
    rows = []
    for shape in dict.fromkeys(shape_of(line) for line in layers(lines)):
        row = [shape]
        for mode in ("infer", "train"):
            row += half_row(best(lines, ours, cell, shape, mode),
                            best(lines, theirs, cell, shape, mode), peak)
        if set(row[1:]) != {"–"}:
            rows.append(row)
    rows.sort(key=lambda row: math.prod(int(size) for size in row[0].split(",")))
    half = ["ms", "GFLOP/s", "% peak", "best peer ms", "who", "ratio"]
    head = ["T,B,I,H"] + ["infer " + half[0]] + half[1:] + ["train " + half[0]] + half[1:]
    return f"## {cell}\n\n" + table(head, rows)


def half_row(own, peer, peak):
    share = f"{100 * own['gflops'] / peak:.0f}" if own and peak else "–"
    who = f"{peer['software']} {peer['setting']}" if peer else "–"
    ratio = f"{peer['ms'] / own['ms']:.2f}" if own and peer else "–"
    return [digits(own and own["ms"]), digits(own and own["gflops"]), share,
            digits(peer and peer["ms"]), who, ratio]


def ratios(lines, who, cells, mode):
    found = []
    for cell in cells:
        for shape in dict.fromkeys(shape_of(line) for line in layers(lines)):
            own = best(lines, ours, cell, shape, mode)
            peer = best(lines, who, cell, shape, mode)
            if own and peer:
                found.append(peer["ms"] / own["ms"])
    return found


def geometric(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def mean_cell(values):
    return f"{geometric(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else "–"


def means(lines):
    cells = ordered(lines, "layer", "cell")
    rows = []
    for cell in cells:
        rows.append([cell] + [mean_cell(ratios(lines, theirs, [cell], mode))
                              for mode in ("infer", "train")])
    rows.append(["all"] + [mean_cell(ratios(lines, theirs, cells, mode))
                           for mode in ("infer", "train")])
    if all(row[1:] == ["–", "–"] for row in rows):
        return ""
    return ("## Geometric means\n\nThe best peer's time over Unroll's; in brackets the lowest and"
            " the highest.\n\n" + table(["cell", "infer", "train"], rows))


def each_peer(lines):
    names = [name for name in PREFERRED if name in ordered(lines, "layer", "software")]
    cells = ordered(lines, "layer", "cell")
    rows = []
    for name in names:
        row = [name]
        for mode in ("infer", "train"):
            row.append(mean_cell(ratios(lines, lambda who, name=name: who == name, cells, mode)))
        if row[1:] != ["–", "–"]:
            rows.append(row)
    if not rows:
        return ""
    return ("Each peer by itself, over the shapes and cells that it ran:\n\n"
            + table(["peer", "infer", "train"], rows))


def settings(lines):
    cases = {}
    for line in layers(lines):
        case = (line["software"], line["cell"], shape_of(line), line["mode"])
        cases.setdefault(case, []).append(line)
    wins = [fastest(found) for found in cases.values()]
    count = {}
    for line in wins:
        key = (line["software"], line["setting"])
        count[key] = count.get(key, 0) + 1
    if not count:
        return ""
    rows = [[software, setting, str(n)] for (software, setting), n in sorted(count.items())]
    return ("In how many cases which setting was the best of its software:\n\n"
            + table(["software", "setting", "cases"], rows))


def steps(lines):
    """Whole training steps of character models; lines of earlier runs do not tell the only size that there was."""
    return [{"layers": 2, "T": 64, "B": 64, "I": 96, "H": 512, **line} for line in of_kind(lines, "char")]


def best_steps(lines):
    """{(cell, layers, shape): {software: its fastest line}}"""
    cases = {}
    for line in steps(lines):
        case = cases.setdefault((line["cell"], line["layers"], shape_of(line)), {})
        case.setdefault(line["software"], []).append(line)
    return {key: {name: fastest(same) for name, same in case.items()} for key, case in cases.items()}


def best_peer(case):
    """The fastest line of {software: line} that is not Unroll's, or None."""
    return fastest(line for name, line in case.items() if theirs(name))


def step_ratios(lines, who=theirs, wanted=lambda key: True):
    """A peer's time of a whole step over Unroll's, of the best one for which who(name) is true."""
    found = []
    for key, case in best_steps(lines).items():
        peer = fastest(line for name, line in case.items() if theirs(name) and who(name))
        if peer and "Unroll" in case and wanted(key):
            found.append(peer["ms"] / case["Unroll"]["ms"])
    return found


def characters(lines):
    cases = best_steps(lines)
    names = sorted({name for case in cases.values() for name in case}, key=rank)
    rows = []
    for (cell, count, shape), case in cases.items():
        peer = best_peer(case)
        rates = []
        for name in names:
            line = case.get(name)
            rates.append(digits(line and line["T"] * line["B"] / line["ms"] * 1e3))
        both = peer and "Unroll" in case
        rows.append([cell, str(count), shape, *rates,
                     f"{peer['ms'] / case['Unroll']['ms']:.2f}" if both else "–",
                     f"{peer['software']} {peer['setting']} {peer.get('variant', '')}".strip() if peer else "–"])
    if not rows:
        return ""
    return ("## A whole training step of a char-rnn\n\nLayers on characters, linear, cross-entropy, Adam, global norm"
            " clipped at 5; tokens/s. V is the number of symbols.\n\n"
            + table(["cell", "layers", "T,B,V,H", *names, "ratio", "best peer"], rows))


def rank(name):
    return ("Unroll", *PREFERRED).index(name) if name in ("Unroll", *PREFERRED) else len(PREFERRED) + 1


def fastest(lines):
    return min(lines, key=lambda line: (line.get("others", 0) > DISTURBED, line["ms"]), default=None)


def fastest_rate(lines, setting):
    """Iterations/s of numpy in a setting."""
    found = [line for line in of_kind(lines, "numpy") if line["setting"] == setting]
    return max(found, key=lambda line: (line.get("others", 0) <= DISTURBED, line["rate"]))["rate"]


def classic(lines):
    own = fastest(of_kind(lines, "classic"))
    rate = 1e3 / own["ms"] if own else None
    rows = [["Unroll " + own["setting"], digits(rate), ""]] if own else []
    for setting in ordered(lines, "numpy", "setting"):
        peer = fastest_rate(lines, setting)
        rows.append(["numpy " + setting, digits(peer), f"{rate / peer:.2f}" if own else "–"])
    if not rows:
        return ""
    return ("## The classic char-rnn\n\nV=80, tanh, H=100, T=25, B=1, element clip 5, Adagrad;"
            " iterations/s.\n\n" + table(["software", "iterations/s", "ratio"], rows))


def peak_memory(lines, mode):
    """{software: MB} of a process that only trains one thing: a layer, or whole steps."""
    found = {}
    for line in of_kind(lines, "memory"):
        if (line.get("mode") == "step") == (mode == "step"):
            found[line["software"]] = min(line["rss_mb"], found.get(line["software"], 1e9))
    return found


def starts(lines):
    """{software: seconds} until the first result."""
    return {line["software"]: line["seconds"] for line in of_kind(lines, "start")}


START = ("From the start of `java` to its end with the first result of a small {} printed, the best of a few,"
         " natives unpacked before")


def memory_and_start(lines):
    of_layer, of_step, start = peak_memory(lines, "train"), peak_memory(lines, "step"), starts(lines)
    names = sorted({**of_layer, **of_step, **start}, key=rank)
    columns = [("MB of the layer", of_layer, "{:.0f}"), ("MB of the step", of_step, "{:.0f}"),
               ("s to the first result", start, "{:.2f}")]
    columns = [column for column in columns if column[1]]
    if not columns:
        return ""
    rows = [[name] + [form.format(found[name]) if name in found else "–" for _, found, form in columns]
            for name in names]
    cell = "LSTM" if any("cell" in line for line in of_kind(lines, "start")) else "GRU"
    said = ("Peak resident set of a process that only trains LSTM 64,32,512,512"
            + (", or only takes whole steps of a char-rnn, LSTM, two layers of 512, T=64, B=64, V=96" if of_step else "")
            + ". " + (START.format(cell) + "." if start else ""))
    return "## Memory and start\n\n" + said.strip() + "\n\n" + table(
        ["software"] + [name for name, _, _ in columns], rows)


def growth(lines):
    """What a step costs where one size grows and the others stay: Unroll beside the best peer."""
    found = [line for line in of_kind(lines, "layer") if line["mode"] == "train" and is_single(line)]
    if not any(line.get("part") == "sweep" for line in found):
        return ""
    cases = {}
    for line in found:
        cases.setdefault((line["cell"], shape_of(line)), []).append(line)
    rows = []
    for size, at in (("T", 0), ("B", 1), ("H", 3)):
        for (cell, first), shapes in series(cases, at).items():
            for shape in shapes:
                own = fastest(line for line in cases[cell, shape] if ours(line["software"]))
                peer = fastest(line for line in cases[cell, shape] if theirs(line["software"]))
                each = 1e3 / int(shape.split(",")[0])
                rows.append([f"{size}, {cell}", shape, digits(own and own["ms"] * each),
                             digits(peer and peer["ms"] * each),
                             f"{peer['software']} {peer['setting']}" if peer else "–",
                             f"{peer['ms'] / own['ms']:.2f}" if own and peer else "–"])
    return ("## As one size grows\n\nTraining, microseconds a step of the sequence.\n\n"
            + table(["what grows", "T,B,I,H", "Unroll µs", "best peer µs", "who", "ratio"], rows))


def variants(lines):
    """Layers, directions and ragged rows: Unroll, and each peer that ran them."""
    cases = {}
    for line in of_kind(lines, "layer"):
        if not is_single(line):
            key = line["cell"], line["mode"], f"{shape_of(line)}, {variant_of(line)}"
            cases.setdefault(key, {}).setdefault(line["software"], []).append(line)
    names = sorted({name for case in cases.values() for name in case if theirs(name)}, key=rank)
    rows = []
    for key, case in cases.items():
        best = {name: fastest(same) for name, same in case.items()}
        own, peer = best.get("Unroll"), best_peer(best)
        rows.append([*key, digits(own and own["ms"]), digits(own and own["gflops"]),
                     *(digits(best[name]["ms"]) if name in best else "–" for name in names),
                     f"{peer['software']} {peer['setting']}".strip() if peer else "–",
                     f"{peer['ms'] / own['ms']:.2f}" if own and peer else "–"])
    head = ["cell", "", "T,B,I,H", "Unroll ms", "GFLOP/s", *(f"{name} ms" for name in names), "best peer", "ratio"]
    return ("## Layers, directions and ragged rows\n\nOperations are those of the steps that the rows have; a dash is"
            " what a peer did not run.\n\n" + table(head, rows)) if rows else ""


def series(cases, at):
    """{(cell, the sizes that stay): shapes, ascending} of those with at least four; with H also I grows."""
    found = {}
    for cell, shape in cases:
        sizes = [int(size) for size in shape.split(",")]
        if at == 3 and sizes[2] != sizes[3]:
            continue
        stay = tuple(size for n, size in enumerate(sizes) if n != at and not (at == 3 and n == 2))
        found.setdefault((cell, stay), []).append(shape)
    return {key: sorted(shapes, key=lambda shape: int(shape.split(",")[at]))
            for key, shapes in found.items() if len(shapes) >= 4}


def absent(lines):
    """What a peer does not offer, so that nobody looks for it."""
    rows = [[line["software"], line["what"], line["why"]] for line in of_kind(lines, "absent")]
    return "## What a peer has not\n\n" + table(["software", "what", "why"], rows) if rows else ""


def disturbance(lines):
    timed = [line for line in lines if "others" in line and line.get("kind") != "memory"]
    bad = [line for line in timed if line["others"] > DISTURBED]
    if not bad:
        return ""
    return (f"Other processes used more than {DISTURBED:g} of a core during {len(bad)} of"
            f" {len(timed)} measurements. Those may be too slow, and count only where there is no"
            " other.")


def main():
    """The report of a run that was stopped: report.py LINES.jsonl."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: report.py LINES.jsonl")
    with open(sys.argv[1]) as lines:
        print(markdown([json.loads(line) for line in lines], []), end="")


if __name__ == "__main__":
    main()
