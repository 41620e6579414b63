// What the page holds, unpacked, and the colours for it.

const facts = JSON.parse(document.getElementById("facts").textContent);
const characters = Array.from(facts.text);
const symbols = Array.from(facts.symbols);
const T = characters.length;
const LEVELS = facts.levels;
const wide = symbols.length > 255;
let unitRows; // a byte for each character, row by row: 0 to 2 * LEVELS
let guessRows;

const UNITS = new Map(facts.units.map((unit, i) => [key(unit.state, unit.layer, unit.unit), i]));
const ORDER = facts.units.map((unit, i) => i).filter((i) => facts.units[i].row >= 0)
  .sort((a, b) => facts.units[a].row - facts.units[b].row);

function key(state, layer, unit) {
  return state + "." + layer + "." + unit;
}

// zlib data in base64, as PackedRows writes it.
async function unpack(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The step of a unit after character t: from -LEVELS to LEVELS.
function level(unit, t) {
  return unitRows[facts.units[unit].row * T + t] - LEVELS;
}

function value(unit, t) {
  return level(unit, t) / LEVELS * facts.units[unit].scale;
}

// What the network expected to come after character t.
function guess(t, rank) {
  const row = rank * (wide ? 3 : 2);
  const low = guessRows[row * T + t];
  const high = wide ? guessRows[(row + 1) * T + t] : 0;
  return {
    character: symbols[low + 256 * high],
    chance: guessRows[(row + (wide ? 2 : 1)) * T + t] / 255,
  };
}

// In bits, how little the network expected character t; 0 for the first.
function surprise(t) {
  return guessRows[facts.guesses * (wide ? 3 : 2) * T + t] / 16;
}

function visible(character) {
  return { "\n": "↵", "\t": "⇥", " ": "␣" }[character] ?? character;
}

function signed(number, digits) {
  const text = Math.abs(number).toFixed(digits);
  return Number(text) === 0 ? "0" : (number < 0 ? "−" : "+") + text;
}

function unitName(unit) {
  const { state, layer, unit: number } = facts.units[unit];
  return (layer + 1) + "·" + facts.states[state] + "·" + number;
}

// Blue below zero and orange above, which no common colour blindness confuses; mixed in OKLab, in
// which equal steps look equal. Text on any of them has a contrast of at least 4.5.
const ENDS = {
  light: { zero: [0.992, 0, 0], below: [0.665, -0.055, -0.125], above: [0.755, 0.062, 0.132] },
  dark: { zero: [0.232, 0, -0.006], below: [0.475, -0.03, -0.135], above: [0.5, 0.062, 0.102] },
};

function hex([l, a, b]) {
  const cube = (x) => x * x * x;
  const long = cube(l + 0.3963377774 * a + 0.2158037573 * b);
  const middle = cube(l - 0.1055613458 * a - 0.0638541728 * b);
  const short = cube(l - 0.0894841775 * a - 1.291485548 * b);
  const linear = [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ];
  return "#" + linear.map((x) => {
    const clipped = Math.min(1, Math.max(0, x));
    const s = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(255 * s).toString(16).padStart(2, "0");
  }).join("");
}

// The colour of a share of the full scale, from -1 to 1.
function colour(share, theme) {
  const { zero, below, above } = ENDS[theme];
  const end = share < 0 ? below : above;
  const t = Math.min(1, Math.abs(share)) ** 0.9;
  return hex(zero.map((from, i) => from + t * (end[i] - from)));
}

function palette(theme) {
  return Array.from({ length: 2 * LEVELS + 1 }, (_, i) => colour((i - LEVELS) / LEVELS, theme));
}

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    node.setAttribute(attribute, value);
  }
  node.append(...children);
  return node;
}

function svg(name, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) {
    node.setAttribute(attribute, value);
  }
  node.append(...children);
  return node;
}
