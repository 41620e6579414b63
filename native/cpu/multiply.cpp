// C = op(A) op(B) + C: both operands are copied to the order in which the tiles read them, then the
// tiles run over all threads. The blocking follows Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication", ACM TOMS 2008: a panel of B stays in the first cache, a
// block of A in the second. The order of an element's sum depends on the depth alone.
#include "multiply.h"

#include "pack.h"
#include "tile.h"

namespace unroll {
namespace ISA {
namespace {

constexpr int PACKS = 2;
constexpr int COLUMNS = PACKS * LANES;
constexpr int ROWS = maxRows(PACKS);
constexpr int DEPTH = 512;            // of a panel of B: at most 64 KiB with AVX-512
constexpr int BLOCK_ROWS = 224;       // of a block of A, of this depth 448 KiB
constexpr int SLAB_ROWS = 4096;       // of A, for which B is packed once
constexpr int SLAB_COLUMNS = 4096;    // of B, packed at once
constexpr int SMALLEST_BLOCK = 4;     // tiles of rows for which a panel of B is worth fetching
constexpr int BLOCKS_A_THREAD = 3;    // that are worth packing A by block
constexpr int64_t WORTH_A_THREAD = 1000000;  // multiplications

// A matrix in place: element (i,j) at data[i*row + j*column].
struct View {
  const float *data;
  int64_t row, column;
};

struct Result {
  float *data;
  int64_t row, column;
};

// One slab of the product: rows and columns of C, a range of the depth.
struct Slab {
  int rows, columns, depth;
  const float *right;  // packed
  Result c;
  bool add;
  int tiles() const { return (rows + ROWS - 1) / ROWS; }
  int panels() const { return (columns + COLUMNS - 1) / COLUMNS; }
  int tileBegin(int tile) const { return partBegin(rows, tiles(), tile); }
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

// The tiles [tileFrom, tileTo), packed, against the panels [panelFrom, panelTo).
void multiplyBlock(const Slab &slab, const float *left, int tileFrom, int tileTo, int panelFrom, int panelTo) {
  for (int panel = panelFrom; panel < panelTo; panel++) {
    int column = panel * COLUMNS;
    const float *b = slab.right + static_cast<int64_t>(column) * slab.depth;
    for (int t = tileFrom; t < tileTo; t++) {
      int row = slab.tileBegin(t);
      const float *a = left + static_cast<int64_t>(row - slab.tileBegin(tileFrom)) * slab.depth;
      withRows<ROWS>(slab.tileBegin(t + 1) - row, [&](auto rows) __attribute__((always_inline)) {
        constexpr int R = static_cast<int>(static_cast<int64_t>(decltype(rows){}));
        Tile<R, PACKS> tile;
        tile.clear();
        Ahead ahead = Ahead::part(b + COLUMNS * slab.depth, COLUMNS * slab.depth, tileTo - tileFrom,
                                  t - tileFrom, slab.depth);
        const float *c = slab.c.data + row * slab.c.row + column * slab.c.column;
        tile.multiply(PackedRows<R>{a}, b, slab.depth, ahead, [&](int from, int end) {
          for (int r = from; r < end; r++) {
            for (int p = 0; p < PACKS; p++) prefetchToWrite(c + r * slab.c.row + p * LANES);
          }
        });
        storeTile(tile, slab, row, column);
      });
    }
  }
}

// Packs the tiles of A: depth step by depth step, the rows of a tile side by side.
void packLeft(const Slab &slab, View a, int tileFrom, int tileTo, float *to) {
  for (int t = tileFrom; t < tileTo; t++) {
    int row = slab.tileBegin(t);
    int rows = slab.tileBegin(t + 1) - row;
    packStrip(a.data + row * a.row, a.row, a.column, rows, rows, slab.depth,
              to + static_cast<int64_t>(row - slab.tileBegin(tileFrom)) * slab.depth, rows);
  }
}

// Packs the panels of B: depth step by depth step, the columns of a panel side by side, zeros past
// the last column.
void packRight(const Slab &slab, View b, int panelFrom, int panelTo, float *to) {
  for (int p = panelFrom; p < panelTo; p++) {
    int column = p * COLUMNS;
    packStrip(b.data + column * b.column, b.column, b.row, minimum(COLUMNS, slab.columns - column),
              COLUMNS, slab.depth, to + static_cast<int64_t>(column) * slab.depth, COLUMNS);
  }
}

// A thread packs the blocks of A that it multiplies, so that they stay in its cache. Where A is long,
// the threads pack B together and share the blocks of A; where it is short, fetching what another core
// has packed would take as long as the product, so each thread has columns of its own.
void multiplySlab(Context &context, Slab &slab, View a, View b) {
  int tiles = slab.tiles(), panels = slab.panels();
  int64_t work = static_cast<int64_t>(slab.rows) * slab.columns * slab.depth;
  int threads = work < WORTH_A_THREAD ? 1 : context.pool.threads();
  bool isLong = tiles >= BLOCKS_A_THREAD * threads * SMALLEST_BLOCK;
  bool ownColumns = threads > 1 && !isLong && panels >= 2 * threads;
  int blocks = (slab.rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  if (threads > 1 && !ownColumns) {
    blocks = (blocks + threads - 1) / threads * threads;  // as many for each thread
    blocks = minimum(tiles, isLong ? maximum(blocks, BLOCKS_A_THREAD * threads) : blocks);
  }
  int64_t leftFloats = static_cast<int64_t>(BLOCK_ROWS + ROWS) * slab.depth;
  float *left = context.left.floats(static_cast<size_t>(leftFloats * threads));
  float *right = context.right.floats(static_cast<size_t>(panels) * COLUMNS * slab.depth);
  slab.right = right;
  auto packPanels = [&](int part, int parts) {
    packRight(slab, b, partBegin(panels, parts, part), partBegin(panels, parts, part + 1), right);
  };
  auto multiplyBlocks = [&](int worker, int from, int to, int panelFrom, int panelTo) {
    float *own = left + leftFloats * worker;
    for (int block = from; block < to; block++) {
      int tileFrom = partBegin(tiles, blocks, block), tileTo = partBegin(tiles, blocks, block + 1);
      packLeft(slab, a, tileFrom, tileTo, own);
      multiplyBlock(slab, own, tileFrom, tileTo, panelFrom, panelTo);
    }
  };
  if (ownColumns || threads == 1) {
    context.pool.run(threads, [&](int part, int worker) {
      packPanels(part, threads);
      multiplyBlocks(worker, 0, blocks, partBegin(panels, threads, part),
                     partBegin(panels, threads, part + 1));
    });
  } else {
    context.pool.run(2 * threads, [&](int part, int) { packPanels(part, 2 * threads); });
    context.pool.run(blocks, [&](int part, int worker) {
      multiplyBlocks(worker, part, part + 1, 0, panels);
    });
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
  for (int j = 0; j < columns; j += SLAB_COLUMNS) {
    for (int i = 0; i < rows; i += SLAB_ROWS) {
      int slabs = (p.k + DEPTH - 1) / DEPTH;
      for (int s = 0; s < slabs; s++) {
        int k = partBegin(p.k, slabs, s);
        Slab slab{};
        slab.rows = minimum(SLAB_ROWS, rows - i);
        slab.columns = minimum(SLAB_COLUMNS, columns - j);
        slab.depth = partBegin(p.k, slabs, s + 1) - k;
        slab.c = Result{c.data + i * c.row + j * c.column, c.row, c.column};
        slab.add = p.add || k > 0;
        multiplySlab(context, slab, View{a.data + i * a.row + k * a.column, a.row, a.column},
                     View{b.data + k * b.row + j * b.column, b.row, b.column});
      }
    }
  }
}

}  // namespace ISA
}  // namespace unroll
