/* Connectionist temporal classification: io.unroll.device.Kernel tells what these kernels compute.
 * Grid  one group per item: a frame of a row, or for paths a row in one direction */
#include "../ctc.h"
#include "../losses.h"
#include "../pointwise.h"
#include "group.h"
#include "launch.h"

/* Cost  bandwidth: a frame's logits twice */
KERNEL ctc_emissions_kernel(READS(real, logits), READS(integer, symbols), READS(integer, lengths),
                            WRITES(real, lse), WRITES(real, emission), int batch, int classes, int longest,
                            offset items) {
  SHARED real scratch[GROUP];
  EACH_ITEM_OF_GROUP(r) {
    offset t = quotient(r, batch), b = r - t * batch;
    if (!IS_GIVEN(lengths) || t < AT(lengths, b)) { /* the same for all lanes of the group */
      GLOBAL const real *row = START(logits) + r * classes;
      real largest;
      real log_of_sum = group_log_sum(scratch, row, classes, &largest);
      for (int k = LANE; k <= longest; k += GROUP) {
        /* Not from lse, which is rounded as coarsely as the logits are large. */
        AT(emission, r * (longest + 1) + k) = row[AT(symbols, b * (longest + 2) + k)] - largest - log_of_sum;
      }
      if (LANE == 0) AT(lse, r) = largest + log_of_sum;
    }
  }
}

/* A row that is walked through in one direction: 0 from the first frame on, 1 from the last one back. */
struct walk {
  GLOBAL const integer *symbols;
  int labels, longest, direction;
};

/* The logarithm of all ways into label k out of the frame that was walked through before. */
DEVICE_FN real into_label(GLOBAL const real *before, const struct walk *row, int k) {
  int other = k + 2 * row->direction; /* the label before, in symbols as in the frame */
  real skipped = row->symbols[other] == row->symbols[k + 1] ? IMPOSSIBLE : before[other];
  return log_add_three(before[k + 1], before[row->longest + 2 + k + row->direction], skipped);
}

/* The same for blank k. */
DEVICE_FN real into_blank(GLOBAL const real *before, const struct walk *row, int k) {
  return log_add(before[row->longest + 2 + k], before[k + row->direction]);
}

/* Writes the states of a frame, the first one if there is none before; gives the largest of this lane's. */
DEVICE_FN real write_frame(GLOBAL real *frame, GLOBAL const real *before, GLOBAL const real *emission,
                           const struct walk *row, real shift) {
  real largest = LEAST;
  for (int s = LANE; s <= 2 * row->labels; s += GROUP) {
    bool label = s < row->labels;
    int k = label ? s : s - row->labels;
    int first = row->direction == 0 ? 0 : label ? row->labels - 1 : row->labels;
    real ways = before == 0 ? (k == first ? 0.0f : IMPOSSIBLE)
                : label     ? into_label(before, row, k)
                            : into_blank(before, row, k);
    real state = ways - shift + emission[label ? k + 1 : 0];
    frame[label ? k + 1 : row->longest + 2 + k] = state;
    largest = MAXIMUM(state, largest);
  }
  if (LANE == 0) frame[0] = frame[row->labels + 1] = IMPOSSIBLE;
  return largest;
}

/* The loss of a row of log probability log_p, and by what its gradient is multiplied. */
DEVICE_FN void finish_row(real log_p, real weight, int zero_infinity, GLOBAL real *loss, GLOBAL real *scale) {
  bool impossible = log_p == IMPOSSIBLE;
  *loss = impossible && zero_infinity ? 0.0f : -weight * log_p;
  *scale = !impossible ? weight : zero_infinity ? 0.0f : log_p - log_p; /* NaN */
}

/* Cost  latency: three barriers a frame, whose states every lane has some of */
KERNEL ctc_paths_kernel(READS(real, emission), READS(integer, symbols), READS(integer, label_lengths),
                        READS(integer, lengths), READS(real, weight), WRITES(real, paths), WRITES(real, loss),
                        WRITES(real, scale), int steps, int batch, int longest, int zero_infinity, offset items) {
  SHARED real scratch[GROUP];
  EACH_ITEM_OF_GROUP(i) {
    int direction = i < batch ? 0 : 1, width = 2 * longest + 3;
    offset b = i - direction * batch;
    int labels = AT(label_lengths, b), frames = IS_GIVEN(lengths) ? AT(lengths, b) : steps;
    struct walk row = {START(symbols) + b * (longest + 2), labels, longest, direction};
    GLOBAL const real *before = 0;
    real shift = 0.0f, total = 0.0f, lost = 0.0f;
    for (int n = 0; n < frames; n++) {
      offset r = (direction == 0 ? n : frames - 1 - n) * (offset)batch + b;
      GLOBAL real *frame = START(paths) + (direction * (offset)steps * batch + r) * width;
      /* With what was too small for the sum so far: there may be thousands of frames. */
      real step = shift - lost, sum = total + step;
      lost = (sum - total) - step;
      total = sum;
      real largest = write_frame(frame, before, START(emission) + r * (longest + 1), &row, shift);
      largest = group_largest(scratch, largest);
      shift = largest == LEAST ? 0.0f : largest;
      before = frame;
    }
    if (LANE == 0 && direction == 0) {
      real none = labels == 0 ? 0.0f : IMPOSSIBLE;
      real log_p = frames == 0 ? none : total + log_add(before[longest + 2 + labels], before[labels]);
      finish_row(log_p, AT(weight, b), zero_infinity, &AT(loss, b), &AT(scale, b));
    }
  }
}

/* A frame of a row with its paths in both directions: to its states and from them on. */
struct frame {
  GLOBAL const real *to, *on, *emission;
  int labels, longest;
};

/* All paths through state s: the labels from 1 on, then the blanks. */
DEVICE_FN real through(const struct frame *of, int s) {
  int at = s <= of->labels ? s : s + 1 + of->longest - of->labels;
  return ctc_through(of->to[at], of->on[at], of->emission[s <= of->labels ? s : 0]);
}

/* Cost  bandwidth: a frame's logits once; then the square of the labels over the lanes */
KERNEL ctc_backward_kernel(READS(real, logits), READS(integer, symbols), READS(integer, label_lengths),
                           READS(integer, lengths), READS(real, lse), READS(real, emission), READS(real, paths),
                           READS(real, scale), READS(real, d_loss), WRITES(real, d_logits), int steps, int batch,
                           int classes, int longest, real beta, offset items) {
  SHARED real scratch[GROUP];
  EACH_ITEM_OF_GROUP(r) {
    offset t = quotient(r, batch), b = r - t * batch, width = 2 * longest + 3;
    GLOBAL const integer *own = START(symbols) + b * (longest + 2);
    GLOBAL const real *to = START(paths) + r * width;
    struct frame of = {to, to + steps * (offset)batch * width, START(emission) + r * (longest + 1),
                       AT(label_lengths, b), longest};
    bool counts = (!IS_GIVEN(lengths) || t < AT(lengths, b)) && AT(scale, b) != 0.0f;
    int states = counts ? 2 * of.labels + 1 : 0;
    real factor = AT(scale, b) * AT(d_loss, 0), largest = LEAST, blanks = 0.0f, all = 0.0f;
    for (int c = LANE; c < classes; c += GROUP) {
      real gradient = counts ? cross_entropy_gradient(AT(logits, r * classes + c), AT(lse, r), 0.0f, factor) : 0.0f;
      PUT(d_logits, r * classes + c, gradient);
    }
    for (int s = 1 + LANE; s <= states; s += GROUP) largest = MAXIMUM(through(&of, s), largest);
    largest = group_largest(scratch, largest);
    for (int s = 1 + LANE; s <= states; s += GROUP) {
      real share = EXP(through(&of, s) - largest);
      all += share;
      blanks += s <= of.labels ? 0.0f : share;
    }
    all = group_sum(scratch, all);
    blanks = group_sum(scratch, blanks);
    if (LANE == 0 && counts) AT(d_logits, r * classes + own[0]) -= blanks / all * factor;
    /* The first place of a label takes what all its places have, so that nobody else writes there. */
    for (int k = 1 + LANE; counts && k <= of.labels; k += GROUP) {
      bool first = true;
      for (int j = 1; j < k; j++) first = first && own[j] != own[k];
      real share = 0.0f;
      for (int j = k; first && j <= of.labels; j++) {
        share += own[j] == own[k] ? EXP(through(&of, j) - largest) : 0.0f;
      }
      if (first) AT(d_logits, r * classes + own[k]) -= share / all * factor;
    }
  }
}
