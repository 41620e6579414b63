/* The kernels in which the lanes of a group work on one item together: io.unroll.device.Kernel tells what
 * they compute. Each sum has a fixed order: first every lane over its own terms, then the lanes.
 * Grid  one group per item, except where an entry says otherwise
 * Cost  bandwidth: each operand is read once, except where an entry says otherwise */
#include "../attention.h"
#include "../losses.h"
#include "../optimizers.h"
#include "../philox.h"
#include "../pointwise.h"
#include "../sampling.h"
#include "group.h"
#include "launch.h"

/* Columns that a group sums, side by side, so that its reads are whole lines of memory. */
#define COLUMNS 32

/* Grid: one group per COLUMNS items. */
KERNEL column_sum_kernel(READS(real, x), WRITES(real, out), int rows, int n, real beta, offset items) {
  SHARED real sums[GROUP];
  for (offset first = GROUP_NUMBER * COLUMNS; first < items; first += GROUPS * COLUMNS) {
    offset column = first + LANE % COLUMNS;
    real sum = 0.0f;
    if (column < items) {
      for (int row = LANE / COLUMNS; row < rows; row += GROUP / COLUMNS) {
        sum += AT(x, row * (offset)n + column);
      }
    }
    sums[LANE] = sum;
    BARRIER();
    if (LANE < COLUMNS && column < items) {
      for (int lane = LANE + COLUMNS; lane < GROUP; lane += COLUMNS) sum += sums[lane];
      PUT(out, column, sum);
    }
    BARRIER();
  }
}

/* Grid: one group per row of the table; it looks through all of index for what is its own. */
KERNEL scatter_add_rows_kernel(READS(real, x), READS(integer, index), WRITES(real, table), int rows, int n,
                               int v, offset items) {
  SHARED integer part[GROUP];
  for (offset row = GROUP_NUMBER; row < v; row += GROUPS) {
    for (int first = 0; first < rows; first += GROUP) {
      BARRIER();
      part[LANE] = first + LANE < rows ? AT(index, first + LANE) : -1;
      BARRIER();
      for (offset column = LANE; column < items; column += GROUP) {
        real sum = AT(table, row * n + column);
        for (int i = 0; i < GROUP; i++) {
          if (part[i] == row) sum += AT(x, (first + i) * (offset)n + column);
        }
        AT(table, row * n + column) = sum;
      }
    }
  }
}

/* Between tiles in the group's own memory, so that reads and writes are whole lines of memory.
 * Grid: one group per tile of TILE x TILE. */
#define TILE 32
KERNEL transpose_kernel(READS(real, x), WRITES(real, out), int rows, int cols, real beta, offset items) {
  SHARED real tile[TILE * (TILE + 1)];
  offset across = (cols + TILE - 1) / TILE, tiles = across * ((rows + TILE - 1) / TILE);
  for (offset t = GROUP_NUMBER; t < tiles; t += GROUPS) {
    offset row = t / across * TILE, column = t % across * TILE;
    for (int i = LANE; i < TILE * TILE; i += GROUP) {
      int r = i / TILE, c = i % TILE;
      if (row + r < rows && column + c < cols) {
        tile[r * (TILE + 1) + c] = AT(x, (row + r) * cols + column + c);
      }
    }
    BARRIER();
    for (int i = LANE; i < TILE * TILE; i += GROUP) {
      int c = i / TILE, r = i % TILE;
      if (row + r < rows && column + c < cols) {
        PUT(out, (column + c) * rows + row + r, tile[r * (TILE + 1) + c]);
      }
    }
    BARRIER();
  }
}

KERNEL cross_entropy_forward_kernel(READS(real, logits), READS(integer, target), WRITES(real, lse),
                                    WRITES(real, loss), int classes, int ignore, real right,
                                    real other, offset items) {
  SHARED real scratch[GROUP];
  EACH_ITEM_OF_GROUP(r) {
    integer wanted = AT(target, r);
    real lse_of_row = 0.0f, loss_of_row = 0.0f;
    if (wanted != ignore) { /* the same for all lanes of the group */
      real largest;
      real log_of_sum = group_log_sum(scratch, START(logits) + r * classes, classes, &largest);
      lse_of_row = largest + log_of_sum;
      /* Not from lse_of_row, which is rounded as coarsely as the logits are large. */
      loss_of_row = right * (largest - AT(logits, r * classes + wanted)) + log_of_sum;
      if (other != 0.0f) {
        real below = 0.0f;
        for (int c = LANE; c < classes; c += GROUP) {
          below += c == wanted ? 0.0f : largest - AT(logits, r * classes + c);
        }
        loss_of_row += other * group_sum(scratch, below);
      }
    }
    if (LANE == 0) {
      AT(lse, r) = lse_of_row;
      AT(loss, r) = loss_of_row;
    }
  }
}

KERNEL cross_entropy_mean_kernel(READS(real, loss), READS(integer, target), WRITES(real, out), int rows,
                                 int ignore, offset items) {
  SHARED real scratch[GROUP];
  real sum = 0.0f, count = 0.0f; /* up to 2^24 exact */
  if (GROUP_NUMBER >= items) return;
  for (int r = LANE; r < rows; r += GROUP) {
    bool heeded = AT(target, r) != ignore;
    sum += heeded ? AT(loss, r) : 0.0f;
    count += heeded ? 1.0f : 0.0f;
  }
  sum = group_sum(scratch, sum);
  count = group_sum(scratch, count);
  if (LANE == 0) {
    AT(out, 0) = count == 0.0f ? 0.0f : sum / count;
    AT(out, 1) = count == 0.0f ? 0.0f : 1.0f / count;
  }
}

/* Grid: one lane per item. */
KERNEL cross_entropy_backward_kernel(READS(real, logits), READS(integer, target), READS(real, lse),
                                     READS(real, mean), READS(real, d_loss), WRITES(real, d_logits),
                                     int classes, int ignore, real right, real other, real beta,
                                     offset items) {
  real scale = AT(mean, 1) * AT(d_loss, 0);
  EACH_ITEM(i) {
    offset r = quotient(i, classes);
    integer named = AT(target, r);
    real wanted = i - r * classes == named ? right : other;
    real gradient = cross_entropy_gradient(AT(logits, i), AT(lse, r), wanted, scale);
    PUT(d_logits, i, named == ignore ? 0.0f : gradient);
  }
}

KERNEL squared_error_mean_kernel(READS(real, x), READS(real, target), READS(real, weights), WRITES(real, out),
                                 int n, offset items) {
  SHARED real scratch[GROUP];
  real sum = 0.0f, total = 0.0f;
  if (GROUP_NUMBER >= items) return;
  for (int i = LANE; i < n; i += GROUP) {
    real weight = IS_GIVEN(weights) ? AT(weights, i) : 1.0f;
    sum += squared_error(AT(x, i), AT(target, i), weight);
    total += weight;
  }
  sum = group_sum(scratch, sum);
  total = group_sum(scratch, total);
  if (LANE == 0) {
    AT(out, 0) = total == 0.0f ? 0.0f : sum / total;
    AT(out, 1) = total == 0.0f ? 0.0f : 1.0f / total;
  }
}

/* Grid: one lane per item. */
KERNEL squared_error_backward_kernel(READS(real, x), READS(real, target), READS(real, weights),
                                     READS(real, mean), READS(real, d_loss), WRITES(real, dx), real beta,
                                     offset items) {
  real scale = 2.0f * AT(mean, 1) * AT(d_loss, 0);
  EACH_ITEM(i) {
    real weight = IS_GIVEN(weights) ? AT(weights, i) : 1.0f;
    PUT(dx, i, squared_error_gradient(AT(x, i), AT(target, i), weight, scale));
  }
}

KERNEL square_sum_kernel(READS(real, x), WRITES(real, partial), offset n, int parts, offset items) {
  SHARED real scratch[GROUP];
  offset size = (n + parts - 1) / parts;
  EACH_ITEM_OF_GROUP(part) {
    offset end = (part + 1) * size < n ? (part + 1) * size : n;
    real sum = 0.0f;
    for (offset i = part * size + LANE; i < end; i += GROUP) sum += AT(x, i) * AT(x, i);
    sum = group_sum(scratch, sum);
    if (LANE == 0) AT(partial, part) = sum;
  }
}

KERNEL clip_factor_kernel(READS(real, partial), WRITES(real, out), int parts, real max_norm, offset items) {
  SHARED real scratch[GROUP];
  real sum = 0.0f;
  if (GROUP_NUMBER >= items) return;
  for (int i = LANE; i < parts; i += GROUP) sum += AT(partial, i);
  real norm = SQRT(group_sum(scratch, sum));
  if (LANE == 0) {
    AT(out, 0) = norm;
    AT(out, 1) = clip_factor(norm, max_norm);
  }
}

/* The order of the smallest logit that may be drawn from a row: that of its k-th largest. In a row that has a lane
 * for each logit it is the smallest of those with fewer than k larger ones; else it is found bit by bit. */
DEVICE_FN natural least_order(LOCAL real *scratch, GLOBAL const real *row, int classes, int k) {
  natural least = 0u;
  if (k == 0 || k >= classes) return least;
  if (classes <= GROUP) {
    real own = row[LANE < classes ? LANE : 0];
    int larger = 0;
    for (int c = 0; c < classes; c++) larger += order_of(row[c]) > order_of(own) ? 1 : 0;
    return order_of(-group_largest(scratch, larger < k ? -own : LEAST));
  }
  for (natural bit = 0x80000000u; bit != 0u; bit >>= 1) {
    real count = 0.0f; /* up to 2^24 exact */
    for (int c = LANE; c < classes; c += GROUP) count += order_of(row[c]) >= (least | bit) ? 1.0f : 0.0f;
    if (group_sum(scratch, count) >= (real)k) least |= bit;
  }
  return least;
}

/* How much of the sum of a row's weights comes before what is drawn, for draw number n of a seed. */
DEVICE_FN real draw(offset seed, offset n) {
  natural words[4];
  philox((natural)(n >> 2), (natural)(n >> 34), (natural)seed, (natural)(seed >> 32), words);
  return uniform(words[n & 3]);
}

/* The first class at which the sum of the weights so far is above the wanted share of all of it, or else the
 * first of the largest logits. sums has those of the ranges of classes. */
DEVICE_FN int drawn(LOCAL const real *sums, GLOBAL const real *row, int classes, real largest, natural least,
                    real inverse_temperature, real share) {
  real total = 0.0f, before = 0.0f;
  for (int lane = 0; lane < GROUP; lane++) total += sums[lane];
  int range = (classes + GROUP - 1) / GROUP, lane = 0;
  while (lane < GROUP - 1 && !(before + sums[lane] > share * total)) before += sums[lane++];
  real sum = 0.0f;
  for (int c = lane * range; c < classes && c < (lane + 1) * range; c++) {
    sum += sampling_weight(row[c], largest, least, inverse_temperature);
    if (inverse_temperature != 0.0f && before + sum > share * total) return c;
  }
  int best = 0;
  while (row[best] != largest) best++;
  return best;
}

/* Each lane adds up the weights of a range of classes; then the first lane looks in which range, and where in it,
 * the draw falls. Reads a row four times, and for the k-th largest 32 times more, or every lane once. */
KERNEL sample_kernel(READS(real, logits), WRITES(integer, out), int classes, int top_k, real inverse_temperature,
                     offset seed, offset position, offset items) {
  SHARED real scratch[GROUP];
  int range = (classes + GROUP - 1) / GROUP;
  EACH_ITEM_OF_GROUP(r) {
    GLOBAL const real *row = START(logits) + r * classes;
    int from = LANE * range < classes ? LANE * range : classes;
    int to = from + range < classes ? from + range : classes;
    real largest = LEAST, missing = 0.0f, sum = 0.0f;
    for (int c = from; c < to; c++) {
      largest = MAXIMUM(row[c], largest);
      missing += row[c] == row[c] ? 0.0f : 1.0f;
    }
    largest = group_largest(scratch, largest);
    missing = group_sum(scratch, missing);
    natural least = least_order(scratch, row, classes, top_k);
    for (int c = from; c < to; c++) sum += sampling_weight(row[c], largest, least, inverse_temperature);
    BARRIER();
    scratch[LANE] = sum;
    BARRIER();
    if (LANE == 0) {
      real share = draw(seed, position + r);
      AT(out, r) = missing > 0.0f
                       ? -1
                       : drawn(scratch, row, classes, largest, least, inverse_temperature, share);
    }
    BARRIER();
  }
}

/* How many columns of row r count; all without lengths. */
#define COLUMNS_OF(r) (IS_GIVEN(lengths) ? AT(lengths, r % batch) : cols)

/* Reads a row three times. x and y may be one buffer. */
KERNEL softmax_forward_kernel(READS(real, x), READS(integer, lengths), WRITES(real, y), int cols, int batch,
                              real scale, offset items) {
  SHARED real scratch[GROUP];
  EACH_ITEM_OF_GROUP(r) {
    int count = COLUMNS_OF(r);
    real largest = LEAST, sum = 0.0f;
    for (int c = LANE; c < count; c += GROUP) largest = MAXIMUM(scale * AT(x, r * cols + c), largest);
    largest = group_largest(scratch, largest);
    for (int c = LANE; c < count; c += GROUP) sum += softmax_term(AT(x, r * cols + c), scale, largest);
    sum = group_sum(scratch, sum);
    for (int c = LANE; c < cols; c += GROUP) {
      AT(y, r * cols + c) = c < count ? softmax_term(AT(x, r * cols + c), scale, largest) / sum : 0.0f;
    }
  }
}

/* Reads a row twice. */
KERNEL softmax_backward_kernel(READS(real, y), READS(real, dy), READS(integer, lengths), WRITES(real, dx), int cols,
                               int batch, real scale, real beta, offset items) {
  SHARED real scratch[GROUP];
  EACH_ITEM_OF_GROUP(r) {
    int count = COLUMNS_OF(r);
    real dot = 0.0f;
    for (int c = LANE; c < count; c += GROUP) dot += AT(y, r * cols + c) * AT(dy, r * cols + c);
    dot = group_sum(scratch, dot);
    for (int c = LANE; c < cols; c += GROUP) {
      offset i = r * cols + c;
      PUT(dx, i, c < count ? softmax_gradient(AT(y, i), AT(dy, i), dot, scale) : 0.0f);
    }
  }
}
