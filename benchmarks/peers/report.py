"""Writes the report of compare.py from the lines that its children have printed."""

import json
import math
import re
import sys

PREFERRED = ("ONNX Runtime", "PyTorch", "DJL", "DL4J")
DISTURBED = 0.15


def markdown(lines, notes):
    parts = [heading(lines), disturbance(lines), peaks(lines), agreement(lines)]
    peak = best_peak(lines)
    for cell in ordered(lines, "layer", "cell"):
        parts.append(cell_table(lines, cell, peak))
    parts += [means(lines), each_peer(lines), settings(lines), characters(lines), classic(lines),
              memory_and_start(lines)]
    if notes:
        parts.append("## What went wrong or is missing\n\n"
                     + "\n".join("* " + note for note in notes))
    return "\n\n".join(part for part in parts if part) + "\n"


def of_kind(lines, kind):
    return [line for line in lines if line.get("kind") == kind]


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
            " and of all gradients where they train, to 1 part in 1000.")


def best(lines, who, cell, shape, mode):
    """The line of the lowest median among software for which who(name) is true, or None.

    Lines that others have disturbed count only where there is no other.
    """
    found = [line for line in of_kind(lines, "layer")
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
    for shape in dict.fromkeys(shape_of(line) for line in of_kind(lines, "layer")):
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
        for shape in dict.fromkeys(shape_of(line) for line in of_kind(lines, "layer")):
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
        rows.append(row)
    if not rows:
        return ""
    return ("Each peer by itself, over the shapes and cells that it ran:\n\n"
            + table(["peer", "infer", "train"], rows))


def settings(lines):
    cases = {}
    for line in of_kind(lines, "layer"):
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


def characters(lines):
    found = of_kind(lines, "char")
    rows = []
    for cell in ordered(lines, "char", "cell"):
        own = fastest(line for line in found if line["cell"] == cell and ours(line["software"]))
        peer = fastest(line for line in found if line["cell"] == cell and theirs(line["software"]))
        rate = [64 * 64 / line["ms"] * 1e3 if line else None for line in (own, peer)]
        who = f"{peer['setting']} {peer['variant']}" if peer else "–"
        ratio = f"{rate[0] / rate[1]:.2f}" if own and peer else "–"
        rows.append([cell, digits(rate[0]), digits(rate[1]), who, ratio])
    if not rows:
        return ""
    return ("## A whole training step of a char-rnn\n\nV=96, two layers of 512, B=64, T=64,"
            " cross-entropy, Adam, global norm clipped at 5; tokens/s.\n\n"
            + table(["cell", "Unroll", "PyTorch", "setting and variant", "ratio"], rows))


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


def memory_and_start(lines):
    parts = []
    peaks_of = {}
    for line in of_kind(lines, "memory"):
        peaks_of[line["software"]] = min(line["rss_mb"], peaks_of.get(line["software"], 1e9))
    if peaks_of:
        rows = [[name, f"{value:.0f}"] for name, value in peaks_of.items()]
        parts.append("## Memory and start\n\nPeak resident set of a process that only trains LSTM"
                     " 64,32,512,512, MB:\n\n" + table(["software", "MB"], rows))
    for line in of_kind(lines, "start"):
        parts.append(f"From the start of `java` to its end with the first number of a GRU"
                     f" (T=16, B=1, I=8, H=16) printed by Unroll: {line['seconds']:.2f} s, the"
                     " best of 5.")
    return "\n\n".join(parts)


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
