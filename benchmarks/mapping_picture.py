"""The five mappings between sequences as a picture, for learning.py."""

from results_plots import Picture

# What, the example, how many steps, the steps with an input, those with an output.
PANELS = (
    ("one to one", "Digits", 1, {0}, {0}),
    ("one to many", "Captions", 3, {0}, {0, 1, 2}),
    ("many to one", "Sentiment", 3, {0, 1, 2}, {2}),
    ("many to many", "TranslateDates", 5, {0, 1, 2}, {2, 3, 4}),
    ("many to many, in step", "Frames", 3, {0, 1, 2}, {0, 1, 2}),
)
BOX_WIDE, BOX_HIGH, PITCH, GAP, MARGIN = 22, 34, 40, 52, 36
INPUT, STATE, OUTPUT = 0, 2, 1  # colours
GREY = 7


def arrow(picture, begin, end):
    (x0, y0), (x1, y1) = begin, end
    picture.line([begin, end], f"l{GREY}")
    across = (4, 0) if x0 == x1 else (0, 4)
    back = (0, 6 if y0 > y1 else -6) if x0 == x1 else (-6, 0)
    left = f"{x1 + back[0] + across[0]:.1f},{y1 + back[1] + across[1]:.1f}"
    right = f"{x1 + back[0] - across[0]:.1f},{y1 + back[1] - across[1]:.1f}"
    picture.parts.append(f'<polygon class="c{GREY}" points="{x1:.1f},{y1:.1f} {left} {right}"/>')


def box(picture, x, y, colour):
    picture.parts.append(f'<rect class="c{colour}" x="{x - BOX_WIDE / 2:.1f}" y="{y - BOX_HIGH / 2:.1f}"'
                         f' width="{BOX_WIDE}" height="{BOX_HIGH}" rx="4"/>')


def draw():
    widths = [max(steps * PITCH, 60) for _, _, steps, _, _ in PANELS]
    picture = Picture(2 * MARGIN + sum(widths) + GAP * (len(PANELS) - 1), 290, "What goes in, and what comes out")
    picture.legend([("input", INPUT, False, False), ("hidden state", STATE, False, False),
                    ("output", OUTPUT, False, False)], y=46)
    out, state, inside = 86, 150, 214
    left = MARGIN
    for (mapping, example, steps, inputs, outputs), wide in zip(PANELS, widths):
        first = left + wide / 2 - (steps - 1) * PITCH / 2
        for step in range(steps):
            x = first + step * PITCH
            box(picture, x, state, STATE)
            if step > 0:
                arrow(picture, (x - PITCH + BOX_WIDE / 2, state), (x - BOX_WIDE / 2, state))
            if step in inputs:
                box(picture, x, inside, INPUT)
                arrow(picture, (x, inside - BOX_HIGH / 2), (x, state + BOX_HIGH / 2))
            if step in outputs:
                box(picture, x, out, OUTPUT)
                arrow(picture, (x, state - BOX_HIGH / 2), (x, out + BOX_HIGH / 2))
        picture.text(left + wide / 2, 256, mapping, "middle", bold=True)
        picture.text(left + wide / 2, 274, example, "middle")
        left += wide + GAP
    return picture.done().replace("results.py", "learning.py")
