// C = op(A) op(B) + C. Each thread has a rectangle of C to itself and waits for nobody: it copies a block of
// A to the order in which the tiles read it, then panel after panel of B, and multiplies each panel with
// the block. As in Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS
// 2008, the block stays in the second cache; the panel too, and while it is multiplied the next one is
// fetched there, so that copying it waits for no memory. The order of an element's sum depends on the
// depth alone.
#include "multiply.h"

#include "pack.h"
#include "tile.h"

namespace unroll {
namespace ISA {
namespace {

constexpr int PACKS = 2;
constexpr int COLUMNS = PACKS * LANES;
constexpr int ROWS = maxRows(PACKS);
constexpr int DEPTH = 256;  // of a block and a panel: at most 32 KiB of B with AVX-512
constexpr int PANELS_AT_ONCE = 2, TILES_AT_ONCE = 4;  // that are packed together
constexpr int ROWS_TO_SHARE = 1024;     // of a thread, from which on the threads pack B together
constexpr int COLUMNS_TO_SHARE = 8192;  // for more, the packed B would leave the caches
constexpr int64_t WORTH_A_THREAD = 1000000;  // multiplications

// A matrix in place: element (i,j) at data[i*row + j*column].
struct View {
  const float *data;
  int64_t row, column;

  View at(int64_t i, int64_t j) const { return {data + i * row + j * column, row, column}; }
};

struct Result {
  float *data;
  int64_t row, column;
};

// A range of the product's depth.
struct Slab {
  int rows, columns, depth;
  View a, b;
  Result c;
  bool add;
  int tiles() const { return tilesOf(rows); }
  int panels() const { return panelsOf(columns); }
  int tileBegin(int tile) const { return partBegin(rows, tiles(), tile); }

  static int tilesOf(int rows) { return (rows + ROWS - 1) / ROWS; }
  static int panelsOf(int columns) { return (columns + COLUMNS - 1) / COLUMNS; }
};

template <int R, int P>
INLINE void storeTile(const Tile<R, P> &tile, const Slab &slab, int row, int column) {
  float *c = slab.c.data + row * slab.c.row + column * slab.c.column;
  int columns = minimum(COLUMNS, slab.columns - column);
  if (slab.c.column == 1) {
#pragma GCC unroll 32
    for (int r = 0; r < R; r++, c += slab.c.row) {
#pragma GCC unroll 4
      for (int p = 0; p < P; p++) {
        int count = columns - p * LANES;
        real old = slab.add ? load(c + p * LANES, count) : real{};
        store(c + p * LANES, old + tile.sum[r][p], count);
      }
    }
    return;
  }
#pragma GCC unroll 32
  for (int r = 0; r < R; r++, c += slab.c.row) {
    float values[COLUMNS];
#pragma GCC unroll 4
    for (int p = 0; p < P; p++) store(values + p * LANES, tile.sum[r][p]);
    for (int j = 0; j < columns; j++) {
      float *at = c + j * slab.c.column;
      *at = slab.add ? *at + values[j] : values[j];
    }
  }
}

// Packs a tile of A whose rows lie along the lanes, to's last pack being followed by another's room.
template <int R>
void packRows(const Slab &slab, int row, float *to) {
  const float *from = slab.a.data + row * slab.a.row;
  for (int k = 0; k < slab.depth; k += LANES) {
    int steps = minimum(LANES, slab.depth - k);
#pragma GCC unroll 4
    for (int r = 0; r < R; r += LANES) {
      constexpr bool FIT = R <= LANES;  // then what a pack writes too much, the next one mends
      int rows = minimum(LANES, R - r);
      real packs[LANES] = {};
#pragma GCC unroll 16
      for (int i = 0; i < rows; i++) packs[i] = load(from + (r + i) * slab.a.row + k, steps);
      transpose(packs);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) {
        if (i < steps) store(to + (k + i) * R + r, packs[i], FIT ? LANES : rows);
      }
    }
  }
}

// Packs tiles of A: depth step by depth step, the rows of a tile side by side. Where a step's rows follow
// one another, tiles are packed together, since longer pieces come faster.
void packLeft(const Slab &slab, int tileFrom, int tileTo, float *to) {
  const View &a = slab.a;
  int first = slab.tileBegin(tileFrom);
  auto packed = [&](int row) { return to + static_cast<int64_t>(row - first) * slab.depth; };
  if (a.column == 1) {
    for (int t = tileFrom; t < tileTo; t++) {
      int row = slab.tileBegin(t);
      withRows<ROWS>(slab.tileBegin(t + 1) - row, [&](auto rows) __attribute__((always_inline)) {
        packRows<decltype(rows)::value>(slab, row, packed(row));
      });
    }
    return;
  }
  for (int from = tileFrom; from < tileTo; from += TILES_AT_ONCE) {
    int count = minimum(TILES_AT_ONCE, tileTo - from);
    int row[TILES_AT_ONCE], rows[TILES_AT_ONCE];
    float *at[TILES_AT_ONCE];
    for (int i = 0; i < count; i++) {
      row[i] = slab.tileBegin(from + i);
      rows[i] = slab.tileBegin(from + i + 1) - row[i];
      at[i] = packed(row[i]);
    }
    for (int k = 0; k < slab.depth; k++) {
      for (int i = 0; i < count; i++) {
        const float *from = a.data + row[i] + k * a.column;
        for (int r = 0; r < rows[i]; r += LANES) {
          store(at[i] + r, load(from + r, rows[i] - r), rows[i] - r);
        }
        at[i] += rows[i];
      }
    }
  }
}

// Packs panels of B: depth step by depth step, the columns of a panel side by side, zeros past the last.
// Whole ones are packed together for the same reason.
void packRight(const Slab &slab, int panelFrom, int panelTo, float *to) {
  const View &b = slab.b;
  int64_t floats = static_cast<int64_t>(COLUMNS) * slab.depth;
  int from = panelFrom * COLUMNS, end = minimum(slab.columns, panelTo * COLUMNS);
  if (b.column == 1 && end - from == PANELS_AT_ONCE * COLUMNS) {
    const float *row = b.data + from;
    for (int k = 0; k < slab.depth; k++, row += b.row) {
#pragma GCC unroll 4
      for (int e = 0; e < PANELS_AT_ONCE * COLUMNS; e += LANES) {
        store(to + e / COLUMNS * floats + k * COLUMNS + e % COLUMNS, load(row + e));
      }
    }
    return;
  }
  for (int column = from; column < end; column += COLUMNS, to += floats) {
    packStrip(b.data + column * b.column, b.column, b.row, minimum(COLUMNS, end - column), COLUMNS,
              slab.depth, to, COLUMNS);
  }
}

// Packed tiles against a packed panel; ahead(i) tells what is fetched during tile number i of them.
template <class AheadOf>
void multiplyPanel(const Slab &slab, const float *left, int tileFrom, int tileTo, const float *right,
                   int panel, const AheadOf &ahead) {
  int column = panel * COLUMNS;
  for (int t = tileFrom; t < tileTo; t++) {
    int row = slab.tileBegin(t);
    const float *a = left + static_cast<int64_t>(row - slab.tileBegin(tileFrom)) * slab.depth;
    withRows<ROWS>(slab.tileBegin(t + 1) - row, [&](auto rows) __attribute__((always_inline)) {
      constexpr int R = decltype(rows)::value;
      Tile<R, PACKS> tile;
      tile.clear();
      tile.multiply(PackedRows<R>{a}, right, slab.depth, ahead(t - tileFrom),
                    slab.c.data + row * slab.c.row + column * slab.c.column, slab.c.row);
      storeTile(tile, slab, row, column);
    });
  }
}

// How C is cut into rectangles, one for each part of the work, and these into blocks of A. The threads pack
// B together where each has so many rows that fetching what the others have packed is the lesser evil.
struct Cut {
  int rowParts = 1, columnParts = 1, blocks = 1;
  bool sharesB = false;

  Cut(Context &context, int rows, int columns, int depth, int threads) {
    // A block takes half of the second cache.
    int64_t fits = static_cast<int64_t>(context.cacheBytes / (2 * sizeof(float))) / minimum(depth, DEPTH);
    int blockRows = maximum(4 * ROWS, static_cast<int>(fits / ROWS) * ROWS);
    double least = 0;
    for (int parts = 1; parts <= threads; parts++) {
      double cost = cycles(rows, columns, parts, threads / parts, blockRows);
      if (parts > 1 && cost >= least) continue;
      least = cost;
      rowParts = parts;
      columnParts = threads / parts;
    }
    sharesB = rows >= threads * ROWS_TO_SHARE && columns <= COLUMNS_TO_SHARE;
    if (sharesB) {
      rowParts = threads;
      columnParts = 1;
      blockRows = maximum(ROWS_TO_SHARE / 4, blockRows / 4);  // short ones, so that all end together
    }
    blocks = (rows + rowParts * blockRows - 1) / (rowParts * blockRows);
    if (columnParts == 1) {  // whoever is through with a block takes the next
      rowParts *= blocks;
      blocks = 1;
    }
  }

  int parts() const { return rowParts * columnParts; }

  // Of a depth step: two products of a pack in a cycle, four bytes of A packed, eight of B.
  static double cycles(int rows, int columns, int rowParts, int columnParts, int blockRows) {
    double height = ROWS * ((Slab::tilesOf(rows) + rowParts - 1) / rowParts);
    double width = COLUMNS * ((Slab::panelsOf(columns) + columnParts - 1) / columnParts);
    int blocks = 1 + static_cast<int>(height) / blockRows;
    return height * width / (2 * LANES) + height + blocks * width / 2;
  }
};

// right is room for the panels that are packed at once or, where B is shared, holds all of them.
void multiplyPart(const Slab &slab, const Cut &cut, int part, float *left, float *right) {
  int64_t floats = static_cast<int64_t>(COLUMNS) * slab.depth;
  int row = part / cut.columnParts, column = part % cut.columnParts;
  int panelFrom = partBegin(slab.panels(), cut.columnParts, column);
  int panelTo = partBegin(slab.panels(), cut.columnParts, column + 1);
  int blocks = cut.rowParts * cut.blocks;
  for (int block = row * cut.blocks; block < (row + 1) * cut.blocks; block++) {
    int tileFrom = partBegin(slab.tiles(), blocks, block);
    int tileTo = partBegin(slab.tiles(), blocks, block + 1);
    packLeft(slab, tileFrom, tileTo, left);
    for (int panel = panelFrom; panel < panelTo; panel++) {
      if (cut.sharesB) {
        const float *packed = right + panel * floats;
        int tiles = tileTo - tileFrom;
        int64_t following = panel + 1 < panelTo ? floats : 0;
        multiplyPanel(slab, left, tileFrom, tileTo, packed, panel, [&](int tile) {
          return Ahead::part(packed + following, following, tiles, tile, slab.depth);
        });
      } else {
        int at = (panel - panelFrom) % PANELS_AT_ONCE;
        if (at == 0) packRight(slab, panel, minimum(panelTo, panel + PANELS_AT_ONCE), right);
        multiplyPanel(slab, left, tileFrom, tileTo, right + at * floats, panel, [](int) { return Nothing{}; });
      }
    }
  }
}

void clear(const Product &p) {
  for (int i = 0; i < p.m; i++) {
    for (int j = 0; j < p.n; j++) p.c[i * p.ldc + j] = 0;
  }
}

}  // namespace

void multiply(Context &context, const Product &p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) {
    if (!p.add) clear(p);
    return;
  }
  if (multiplyFew(context, p)) return;
  View a{p.a, p.transposeA ? 1 : p.lda, p.transposeA ? p.lda : 1};
  View b{p.b, p.transposeB ? 1 : p.ldb, p.transposeB ? p.ldb : 1};
  Result c{p.c, p.ldc, 1};
  int rows = p.m, columns = p.n;
  if (columns < LANES && columns < rows) {  // the transposed product fills the lanes better
    View left = a;
    a = View{b.data, b.column, b.row};
    b = View{left.data, left.column, left.row};
    c = Result{p.c, 1, p.ldc};
    rows = p.n;
    columns = p.m;
  }
  int64_t work = static_cast<int64_t>(rows) * columns * p.k;
  Cut cut(context, rows, columns, p.k, work < WORTH_A_THREAD ? 1 : context.pool.threads());
  int slabs = (p.k + DEPTH - 1) / DEPTH;
  int depth = (p.k + slabs - 1) / slabs;
  int64_t blockTiles = (Slab::tilesOf(rows) + cut.rowParts * cut.blocks - 1) / (cut.rowParts * cut.blocks);
  int64_t leftFloats = blockTiles * ROWS * depth + LANES;
  int64_t rightFloats = cut.sharesB ? 0 : static_cast<int64_t>(PANELS_AT_ONCE) * COLUMNS * depth;
  int threads = context.pool.threads();
  float *left = context.left.floats(static_cast<size_t>(leftFloats * threads));
  float *right = context.right.floats(static_cast<size_t>(
      cut.sharesB ? static_cast<int64_t>(Slab::panelsOf(columns)) * COLUMNS * depth : rightFloats * threads));
  auto slabOf = [&](int s) {
    int k = partBegin(p.k, slabs, s), end = partBegin(p.k, slabs, s + 1);
    return Slab{rows, columns, end - k, a.at(0, k), b.at(k, 0), c, p.add || k > 0};
  };
  auto multiplySlabs = [&](int from, int to) {
    context.pool.run(cut.parts(), [&](int part, int worker) {
      for (int s = from; s < to; s++) {
        multiplyPart(slabOf(s), cut, part, left + leftFloats * worker, right + rightFloats * worker);
      }
    });
  };
  if (!cut.sharesB) {
    multiplySlabs(0, slabs);
    return;
  }
  for (int s = 0; s < slabs; s++) {
    Slab slab = slabOf(s);
    int groups = (slab.panels() + PANELS_AT_ONCE - 1) / PANELS_AT_ONCE;
    context.pool.run(minimum(groups, 2 * threads), [&](int part, int) {
      int parts = minimum(groups, 2 * threads);
      for (int g = partBegin(groups, parts, part); g < partBegin(groups, parts, part + 1); g++) {
        int panel = g * PANELS_AT_ONCE;
        packRight(slab, panel, minimum(slab.panels(), panel + PANELS_AT_ONCE),
                  right + static_cast<int64_t>(panel) * COLUMNS * slab.depth);
      }
    });
    multiplySlabs(s, s + 1);
  }
}

}  // namespace ISA
}  // namespace unroll
