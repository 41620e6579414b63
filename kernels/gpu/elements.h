/* The kernels whose items know nothing of one another: io.unroll.device.Kernel tells what they compute.
 * Grid  one lane per item; a launch with fewer lanes goes round
 * Cost  bandwidth: each operand is read or written once */
#include "../attention.h"
#include "../optimizers.h"
#include "../philox.h"
#include "../pointwise.h"
#include "launch.h"

KERNEL fill_kernel(WRITES(real, out), real value, offset items) {
  EACH_ITEM(i) AT(out, i) = value;
}

KERNEL bias_add_kernel(WRITES(real, out), READS(real, bias), int n, offset items) {
  EACH_ITEM(i) AT(out, i) += AT(bias, i - quotient(i, n) * n);
}

KERNEL gather_rows_kernel(READS(real, table), READS(integer, index), WRITES(real, out), int n,
                          offset items) {
  EACH_ITEM(i) {
    offset row = quotient(i, n);
    integer from = AT(index, row);
    AT(out, i) = from < 0 ? 0.0f : AT(table, from * (offset)n + (i - row * n));
  }
}

KERNEL mask_rows_kernel(READS(real, x), READS(integer, mask), WRITES(real, out), int n, offset items) {
  EACH_ITEM(i) AT(out, i) = AT(mask, quotient(i, n)) != 0 ? 0.0f : AT(x, i);
}

KERNEL copy_rows_kernel(READS(real, x), WRITES(real, out), int cols, int ld_x, int ld_out, real beta,
                        offset items) {
  EACH_ITEM(i) {
    offset row = quotient(i, cols), column = i - row * cols;
    PUT(out, row * ld_out + column, AT(x, row * ld_x + column));
  }
}

KERNEL tanh_forward_kernel(READS(real, x), WRITES(real, y), offset items) {
  EACH_ITEM(i) AT(y, i) = TANH(AT(x, i));
}

KERNEL tanh_backward_kernel(READS(real, y), READS(real, dy), WRITES(real, dx), real beta, offset items) {
  EACH_ITEM(i) PUT(dx, i, tanh_gradient(AT(y, i), AT(dy, i)));
}

KERNEL sigmoid_forward_kernel(READS(real, x), WRITES(real, y), offset items) {
  EACH_ITEM(i) AT(y, i) = SIGMOID(AT(x, i));
}

KERNEL sigmoid_backward_kernel(READS(real, y), READS(real, dy), WRITES(real, dx), real beta,
                               offset items) {
  EACH_ITEM(i) PUT(dx, i, sigmoid_gradient(AT(y, i), AT(dy, i)));
}

KERNEL relu_forward_kernel(READS(real, x), WRITES(real, y), offset items) {
  EACH_ITEM(i) AT(y, i) = relu_of(AT(x, i));
}

KERNEL relu_backward_kernel(READS(real, y), READS(real, dy), WRITES(real, dx), real beta, offset items) {
  EACH_ITEM(i) PUT(dx, i, relu_gradient(AT(y, i), AT(dy, i)));
}

KERNEL axpby_kernel(READS(real, x), WRITES(real, y), real a, real beta, offset items) {
  EACH_ITEM(i) PUT(y, i, a * AT(x, i));
}

KERNEL multiply_kernel(READS(real, a), READS(real, b), WRITES(real, out), real beta, offset items) {
  EACH_ITEM(i) PUT(out, i, AT(a, i) * AT(b, i));
}

KERNEL scale_by_kernel(WRITES(real, x), READS(real, factor), offset items) {
  EACH_ITEM(i) AT(x, i) *= AT(factor, 0);
}

KERNEL clamp_kernel(WRITES(real, x), real limit, offset items) {
  EACH_ITEM(i) AT(x, i) = clamped(AT(x, i), limit);
}

/* A lane does the four elements of a block of random numbers; counter need not begin one. */
KERNEL dropout_kernel(READS(real, x), WRITES(real, out), real p, real scale, offset seed, offset counter,
                      real beta, offset items) {
  offset first = counter >> 2, blocks = ((counter + items + 3) >> 2) - first;
  for (offset b = GROUP_NUMBER * GROUP + LANE; b < blocks; b += GROUPS * GROUP) {
    natural words[4];
    philox((natural)(first + b), (natural)((first + b) >> 32), (natural)seed, (natural)(seed >> 32), words);
    for (int k = 0; k < 4; k++) {
      offset i = ((first + b) << 2) + k - counter;
      if (i >= 0 && i < items) PUT(out, i, drop(AT(x, i), words[k], p, scale));
    }
  }
}

KERNEL sgd_kernel(WRITES(real, w), READS(real, g), real lr, real decay, offset items) {
  EACH_ITEM(i) AT(w, i) = sgd(AT(w, i), AT(g, i), lr, decay);
}

KERNEL momentum_kernel(WRITES(real, w), READS(real, g), WRITES(real, m), real lr, real mu, real decay,
                       offset items) {
  EACH_ITEM(i) {
    real moment = AT(m, i);
    AT(w, i) = momentum(AT(w, i), AT(g, i), &moment, lr, mu, decay);
    AT(m, i) = moment;
  }
}

KERNEL adagrad_kernel(WRITES(real, w), READS(real, g), WRITES(real, a), real lr, real eps, real decay,
                      offset items) {
  EACH_ITEM(i) {
    real moment = AT(a, i);
    AT(w, i) = adagrad(AT(w, i), AT(g, i), &moment, lr, eps, decay);
    AT(a, i) = moment;
  }
}

KERNEL rmsprop_kernel(WRITES(real, w), READS(real, g), WRITES(real, a), real lr, real alpha, real rest,
                      real eps, real decay, offset items) {
  rmsprop_settings settings = {lr, alpha, rest, eps, decay};
  EACH_ITEM(i) {
    real moment = AT(a, i);
    AT(w, i) = rmsprop(AT(w, i), AT(g, i), &moment, settings);
    AT(a, i) = moment;
  }
}

KERNEL adam_kernel(WRITES(real, w), READS(real, g), WRITES(real, m), WRITES(real, v), real step, real b1,
                   real rest1, real b2, real rest2, real correction2, real eps, real decay, real shrink,
                   offset items) {
  adam_settings settings = {step, b1, rest1, b2, rest2, correction2, eps, decay, shrink};
  EACH_ITEM(i) {
    real first = AT(m, i), second = AT(v, i);
    AT(w, i) = adam(AT(w, i), AT(g, i), &first, &second, settings);
    AT(m, i) = first;
    AT(v, i) = second;
  }
}

/* Cost: a tanh and three operations for each of size elements. */
KERNEL additive_score_forward_kernel(READS(real, x), READS(real, other), READS(real, v), WRITES(real, score),
                                     int batch, int m, int size, offset items) {
  EACH_ITEM(i) {
    offset row = quotient(i, m), column = (i - row * m) * batch + row % batch;
    real sum = 0.0f;
    for (int a = 0; a < size; a++) {
      sum += AT(v, a) * additive_unit(AT(x, row * size + a), AT(other, column * size + a));
    }
    AT(score, i) = sum;
  }
}

/* Cost: a tanh and seven operations for each of m rows. */
KERNEL additive_score_backward_kernel(READS(real, x), READS(real, other), READS(real, v), READS(real, d_score),
                                      WRITES(real, dx), WRITES(real, dv), int batch, int n, int m, int size,
                                      int turned, real beta, offset items) {
  EACH_ITEM(i) {
    offset row = quotient(i, size), a = i - row * size, b = row % batch;
    offset at = turned != 0 ? b * n + row / batch : row * m, step = turned != 0 ? (offset)batch * n : 1;
    real sum_x = 0.0f, sum_v = 0.0f;
    for (int j = 0; j < m; j++) {
      real u = additive_unit(AT(x, i), AT(other, (j * (offset)batch + b) * size + a));
      real d = AT(d_score, at + j * step);
      sum_x += tanh_gradient(u, d);
      sum_v += u * d;
    }
    PUT(dx, i, AT(v, a) * sum_x);
    if (IS_GIVEN(dv)) AT(dv, i) = sum_v;
  }
}
