// The network unrolled in time, and the gates.

const BOX = 84;
const COLUMN = 118; // at least
const GAP = 26;
const SHOWN_GUESSES = 3;
const GRID = Math.ceil(Math.sqrt(2 * facts.hidden));
const GATES = {
  i: "input gate i", f: "forget gate f", g: "candidate g", o: "output gate o",
  r: "reset gate r", z: "update gate z", n: "candidate n", h: "hidden state h",
};

// All units of a layer after character t, as a picture of one dot each.
function layerPicture(state, layer, t, colours) {
  const canvas = element("canvas", { width: GRID, height: Math.ceil(facts.hidden / GRID) });
  const context = canvas.getContext("2d");
  for (let j = 0; j < facts.hidden; j++) {
    const unit = UNITS.get(key(state, layer, j));
    if (facts.units[unit].row < 0) continue;
    context.fillStyle = colours[level(unit, t) + LEVELS];
    context.fillRect(j % GRID, Math.floor(j / GRID), 1, 1);
  }
  return canvas.toDataURL();
}

function wire(x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const wing = (turn) => (x2 - 6 * Math.cos(angle + turn)).toFixed(1) + " "
    + (y2 - 6 * Math.sin(angle + turn)).toFixed(1);
  return svg("path", {
    class: "wire",
    d: `M${x1} ${y1}L${x2} ${y2}M${wing(0.5)}L${x2} ${y2}L${wing(-0.5)}`,
  });
}

function drawUnrolled(place, unit, at, colours, choose) {
  const width = Math.max(380, place.clientWidth - 4);
  const columns = Math.max(2, Math.min(T, Math.floor((width - 70) / COLUMN)));
  const pitch = Math.floor((width - 60) / columns);
  const first = Math.max(0, Math.min(T - columns, at - Math.floor(columns * 0.6)));
  const box = Math.ceil(facts.hidden / GRID) * BOX / GRID;
  const top = SHOWN_GUESSES * 16 + 12;
  const height = top + facts.layers * (box + GAP + 14) + 46;
  const drawing = svg("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `The network unrolled over ${columns} characters, from ${first} on`,
  });
  const layerTop = (layer) => top + (facts.layers - 1 - layer) * (box + GAP + 14) + 6;
  for (let c = 0; c < columns; c++) {
    drawStep(drawing, { t: first + c, x: 46 + c * pitch, pitch, box, height, layerTop },
      unit, at, colours, choose);
  }
  for (let layer = 0; layer < facts.layers; layer++) {
    const y = layerTop(layer) + box / 2;
    drawing.append(svg("text", { class: "faint small", x: 2, y: y - 9 }, "layer " + (layer + 1)));
    drawing.append(wire(4, y, 42, y));
  }
  place.replaceChildren(drawing);
}

// One column: the character, the layers above it, the guesses at the top.
function drawStep(drawing, { t, x, pitch, box, height, layerTop }, unit, at, colours, choose) {
  const middle = x + BOX / 2;
  const now = t === at ? " now" : "";
  const chosen = facts.units[unit];
  const base = height - 34;
  drawing.append(
    svg("rect", { class: "frame" + now, x: middle - 15, y: base, width: 30, height: 26, rx: 4 }),
    svg("text", { class: "glyph", x: middle, y: base + 18 }, visible(characters[t])));
  for (let layer = 0; layer < facts.layers; layer++) {
    const y = layerTop(layer);
    const below = layer === 0 ? base : layerTop(layer - 1);
    drawing.append(wire(middle, below - 2, middle, y + box + (layer === chosen.layer ? 16 : 3)));
    if (t + 1 < T) drawing.append(wire(x + BOX + 3, y + box / 2, x + pitch - 4, y + box / 2));
    const picture = svg("image", {
      href: layerPicture(chosen.state, layer, t, colours), x, y, width: BOX, height: box,
      preserveAspectRatio: "none",
    });
    picture.addEventListener("click", (event) => {
      const area = picture.getBoundingClientRect();
      const column = Math.floor((event.clientX - area.left) / area.width * GRID);
      const row = Math.floor((event.clientY - area.top) / area.height * Math.ceil(facts.hidden / GRID));
      choose(UNITS.get(key(chosen.state, layer, row * GRID + column)), t);
    });
    drawing.append(picture, svg("rect", { class: "frame" + now, x, y, width: BOX, height: box }));
    if (layer === chosen.layer) {
      const dot = BOX / GRID;
      drawing.append(
        svg("rect", {
          class: "mark", x: x + chosen.unit % GRID * dot - 1, width: dot + 2, height: dot + 2,
          y: y + Math.floor(chosen.unit / GRID) * dot - 1,
        }),
        svg("text", { class: "small", x: middle, y: y + box + 12, "text-anchor": "middle" },
          signed(value(unit, t), 2)));
    }
  }
  drawing.append(wire(middle, layerTop(facts.layers - 1) - 3, middle, SHOWN_GUESSES * 16 + 2));
  drawGuesses(drawing, t, x);
}

function drawGuesses(drawing, t, x) {
  for (let rank = 0; rank < SHOWN_GUESSES; rank++) {
    const { character, chance } = guess(t, rank);
    const y = rank * 16;
    const hit = t + 1 < T && character === characters[t + 1];
    const bar = svg("rect", { x: x + 18, y: y + 3, width: Math.max(1, 38 * chance), height: 9, rx: 1 });
    bar.style.fill = hit ? "var(--hit)" : "var(--line)";
    drawing.append(
      svg("text", { class: hit ? "glyph" : "glyph faint", x: x + 8, y: y + 13 }, visible(character)),
      bar,
      svg("text", { class: hit ? "small" : "small faint", x: x + BOX + 6, y: y + 12, "text-anchor": "end" },
        percent(chance)));
  }
}

function percent(share) {
  return Math.round(100 * share) + "%";
}

// Adds a card for each gate; returns what marks a unit in them.
function drawGates(place, choose) {
  const dots = [];
  for (let layer = 0; layer < facts.layers; layer++) {
    const row = element("div", { class: "gate-row" });
    for (const gate of facts.gates.filter((each) => each.layer === layer)) {
      row.append(gateCard(gate, dots, choose));
    }
    place.append(element("p", { class: "maps-title" }, "layer " + (layer + 1)), row);
  }
  return (unit) => {
    const chosen = facts.units[unit];
    for (const { dot, layer, number } of dots) {
      const is = layer === chosen.layer && number === chosen.unit;
      dot.classList.toggle("chosen", is);
      if (is) dot.parentNode.append(dot);
    }
  };
}

function gateCard(gate, dots, choose) {
  const mean = (shares) => shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const drawing = svg("svg", { width: 282, height: 128, viewBox: "0 0 282 128", role: "img" });
  const bins = gate.histogram.length;
  const highest = Math.max(...gate.histogram);
  gate.histogram.forEach((share, i) => {
    const end = i < bins / 10 || i >= bins - bins / 10;
    const tall = 104 * Math.sqrt(share / highest);
    drawing.append(svg("rect", {
      class: end ? "bar end" : "bar", x: 2 + i * 128 / bins, width: 128 / bins - 0.5,
      y: 110 - tall, height: tall,
    }));
  });
  drawing.append(
    svg("path", { class: "wire", d: "M2 110.5H130M162.5 6V110.5H270" }),
    svg("text", { class: "faint small", x: 2, y: 123 }, gate.lowest === 0 ? "0" : "−1"),
    svg("text", { class: "faint small", x: 130, y: 123, "text-anchor": "end" }, "1"),
    svg("path", { class: "frame", d: "M162.5 6L266.5 110.5" }),
    svg("text", { class: "faint small", x: 159, y: 14, "text-anchor": "end" }, "1"),
    svg("text", { class: "faint small", x: 212, y: 123, "text-anchor": "middle" }, "right-saturated"),
    svg("text", { class: "faint small", x: 266, y: 123, "text-anchor": "middle" }, "1"),
    svg("text", { class: "faint small", x: 153, y: 62, "text-anchor": "middle", transform: "rotate(-90 153 62)" },
      "left-saturated"));
  gate.left.forEach((left, number) => {
    const dot = svg("circle", { cx: 162.5 + 104 * gate.right[number], cy: 110.5 - 104 * left, r: 3 },
      svg("title", {}, `unit ${number}: left ${percent(left)}, right ${percent(gate.right[number])}`));
    dot.addEventListener("click", () => choose(gate.layer, number));
    dots.push({ dot, layer: gate.layer, number });
    drawing.append(dot);
  });
  return element("div", { class: "gate" },
    element("h3", {}, GATES[gate.gate] ?? "gate " + gate.gate,
      element("span", {}, ` · ${percent(mean(gate.left))} left, ${percent(mean(gate.right))} right`)),
    drawing);
}
