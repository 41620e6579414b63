package io.unroll.device;

/**
 * Every kernel that a device offers besides the matrix product, with its parameters in order.
 *
 * <p>A launch runs a number of items; an item writes only what its number names, so items run in
 * any order. Reductions are over a fixed order inside an item. {@code [..]} is a buffer of reals,
 * {@code int[..]} one of integers, {@code ?} marks a buffer that may be null, the rest are numbers.
 * {@code beta} is 0 to overwrite the output and 1 to add to it; with 0 the output is not read.
 *
 * <p>A number that is a difference or a quotient of constants, such as {@code 1-b1}, is an argument
 * of its own: the caller computes it in float64 and the device rounds it once.
 */
public enum Kernel {
  /**
   * One time step of a cell, after its two products; compiled for one cell. Items B*H.
   *
   * <p>{@code zx[B,G*H], zh[B,G*H], bIh[G*H], bHh[G*H], unit?[P*H], lengths? int[B], resets?
   * int[B], sPrev[S,..,B,H], sNext[S,..,B,H], keep?[B,K*H], y?[B,..], B, H, long stateStride, ldY,
   * t}. State s of row b lies at {@code s*stateStride + b*H}; unit is null if P is 0. A row with
   * {@code t >= lengths[b]} carries its states over and writes zeros to y. In another one with
   * {@code resets[b] != 0} its part of zh and of sPrev counts as zero.
   */
  CELL_FORWARD,
  /**
   * The gradient of {@link #CELL_FORWARD}; compiled for one cell. Items B*H.
   *
   * <p>{@code keep[B,K*H], unit?[P*H], lengths? int[B], resets? int[B], sPrev, sNext, ds[S,B,H],
   * dUnit?[B,P*H], dy?[B,..], dzx[B,G*H], dzh[B,G*H], B, H, long stateStride, ldDy, t}. On entry ds
   * is the gradient that later steps send to sNext; on exit it is the part of the gradient of sPrev
   * that does not pass through W_hh. What the step gives to the gradient of unit is added to dUnit;
   * both are null if P is 0. dzx and dzh are the same buffer where {@link
   * io.unroll.CellSpec#inputAndRecurrentAdd}. A row past its length leaves ds and dUnit alone and
   * writes zeros to dzx and dzh. In another one with {@code resets[b] != 0} its part of sPrev
   * counts as zero and ds becomes zero; dzh stays what it is, and the caller keeps it from W_hh.
   */
  CELL_BACKWARD,
  /** {@code out[rows,n] += bias[n]}. Items rows*n. {@code out, bias, n}. */
  BIAS_ADD,
  /**
   * {@code out[n] = sum over rows of x[rows,n] + beta*out}. Items n. {@code x, out, rows, n, beta}.
   */
  COLUMN_SUM,
  /**
   * {@code out[r,:] = table[index[r],:]}, zeros for a negative index. Items rows*n. {@code
   * table[v,n], index int[rows], out[rows,n], n}.
   */
  GATHER_ROWS,
  /**
   * {@code out[r,:] = x[r,:]}, zeros where {@code mask[r]} is not 0. Items rows*n. {@code
   * x[rows,n], mask int[rows], out[rows,n], n}.
   */
  MASK_ROWS,
  /**
   * {@code table[index[r],:] += x[r,:]} in the order of r; a negative index adds nothing, and none
   * is v or more. Items n. {@code x[rows,n], index int[rows], table[v,n], rows, n, v}.
   */
  SCATTER_ADD_ROWS,
  /**
   * {@code lse[r] = log sum_c exp(logits[r,c])} and {@code loss[r] = lse[r] - sum_c q[c]
   * logits[r,c]}, where q is right for the target and other for each other class, which with other
   * 0 are not looked at; both 0 where the target is ignore. Items rows. {@code
   * logits[rows,classes], target int[rows], lse[rows], loss[rows], classes, int ignore, right,
   * other}.
   */
  CROSS_ENTROPY_FORWARD,
  /**
   * {@code out[0] = sum(loss)/count}, {@code out[1] = 1/count} with count the targets that are not
   * ignore; both 0 if there are none. Items 1. {@code loss[rows], target int[rows], out[2], rows,
   * int ignore}.
   */
  CROSS_ENTROPY_MEAN,
  /**
   * {@code dLogits[r,c] = (exp(logits[r,c]-lse[r]) - q[c]) * mean[1] * dLoss[0]} with q as forward,
   * 0 where ignored. Items rows*classes. {@code logits, target int[rows], lse, mean[2], dLoss[1],
   * dLogits, classes, int ignore, right, other, beta}.
   */
  CROSS_ENTROPY_BACKWARD,
  /**
   * {@code out[0] = sum w (x-target)^2 / sum w}, {@code out[1] = 1/sum w}, both 0 if sum w is 0; w
   * is 1 where weights is null, and an element of weight 0 is not looked at. Items 1. {@code x[n],
   * target[n], weights?[n], out[2], n}.
   */
  SQUARED_ERROR_MEAN,
  /**
   * {@code dX = 2 w (x-target) * mean[1] * dLoss[0]}, 0 where w is 0. Items n. {@code x, target,
   * weights?, mean[2], dLoss[1], dX, beta}.
   */
  SQUARED_ERROR_BACKWARD,
  /**
   * What frames say of the symbols of their rows, for {@link #CTC_PATHS}: {@code lse[r] = log sum_c
   * exp(logits[r,c])} and {@code emission[r,k] = logits[r,symbols[b,k]] - lse[r]}, r being frame t
   * of row b. A frame {@code t >= lengths[b]} is neither read nor written. Items T*B. {@code
   * logits[T,B,classes], symbols int[B,L+2], lengths? int[B], lse[T,B], emission[T,B,L+1], B,
   * classes, L}. Symbols are the blank, the labels of the row, then blanks to the end.
   */
  CTC_EMISSIONS,
  /**
   * Adds up all alignments of each row (docs/equations.md, connectionist temporal classification)
   * in logarithms: items 0 to B-1 forward into {@code paths[0]}, items B to 2B-1 backward into
   * {@code paths[1]}. Items B or 2*B. {@code emission[T,B,L+1], symbols int[B,L+2], labelLengths
   * int[B], lengths? int[B], weight[B], paths[1 or 2,T,B,2L+3], loss[B], scale[B], T, B, L, int
   * zeroInfinity}.
   *
   * <p>With N labels a row has 2N+1 states. Those of a frame lie in paths as minus infinity, labels
   * 0 to N-1, minus infinity; and from L+2 on blanks 0 to N; the rest is left alone. Each is less
   * the largest of the frame that was walked through before it. The forward item writes {@code
   * loss[b] = -weight[b] log p} and {@code scale[b] = weight[b]}; if p is 0, infinity and NaN, or
   * with zeroInfinity 0 and 0.
   */
  CTC_PATHS,
  /**
   * {@code dLogits[r,c] = (exp(logits[r,c]-lse[r]) - share) * scale[b] * dLoss[0]}, 0 where {@code
   * t >= lengths[b]} or scale is 0. The share is that of all paths which emit c in frame t of row
   * b. Items T*B. {@code logits, symbols, labelLengths, lengths?, lse, emission, paths[2,..],
   * scale, dLoss[1], dLogits, T, B, classes, L, beta}.
   */
  CTC_BACKWARD,
  /**
   * Draws a class from each row: {@code out[r]} is the first class c at which {@code weight[0] + ..
   * + weight[c]} is above {@link io.unroll.Philox#uniform} of (seed, position+r) times the sum of
   * all weights, with {@code weight[c] = exp((logits[r,c] - largest of the row) *
   * inverseTemperature)}, or 0 where a topK above 0 is given and the logit is below the topK-th
   * largest. It is the first class of the largest logit where there is no such c, as after an
   * infinite logit, and where inverseTemperature is 0, which stands for temperature 0; it is -1
   * where a logit of the row is NaN. Items rows. {@code logits[rows,classes], out int[rows],
   * classes, int topK, inverseTemperature, long seed, long position}.
   */
  SAMPLE,
  /** {@code y = tanh(x)}. Items n. {@code x, y}. */
  TANH_FORWARD,
  /** {@code dX = dY (1-y^2)}. Items n. {@code y, dY, dX, beta}. */
  TANH_BACKWARD,
  /** {@code y = 1/(1+exp(-x))}. Items n. {@code x, y}. */
  SIGMOID_FORWARD,
  /** {@code dX = dY y (1-y)}. Items n. {@code y, dY, dX, beta}. */
  SIGMOID_BACKWARD,
  /** {@code y = max(0,x)}, NaN stays NaN. Items n. {@code x, y}. */
  RELU_FORWARD,
  /**
   * {@code dX = 0 where y <= 0, else dY}; NaN lets dY through. Items n. {@code y, dY, dX, beta}.
   */
  RELU_BACKWARD,
  /** {@code y = a*x + beta*y}. Items n. {@code x, y, a, beta}. */
  AXPBY,
  /** {@code out = a*b + beta*out}, element by element. Items n. {@code a, b, out, beta}. */
  MULTIPLY,
  /**
   * {@code out[r,c] = x[r,c] + beta*out[r,c]} between rows of different length. Items rows*cols.
   * {@code x, out, cols, ldX, ldOut, beta}.
   */
  COPY_ROWS,
  /**
   * {@code out[c,r] = x[r,c] + beta*out[c,r]}. Items rows*cols, in the order of out. {@code
   * x[rows,cols], out[cols,rows], rows, cols, beta}.
   */
  TRANSPOSE,
  /**
   * {@code out[i] = x[i]*scale + beta*out[i]} where element i is kept, else {@code beta*out[i]}.
   * Element i is kept if {@link io.unroll.Philox#uniform} of (seed, counter+i) is at least p; scale
   * is 1/(1-p). The gradient is the same kernel on dOut. Items n. {@code x, out, p, scale, long
   * seed, long counter, beta}.
   */
  DROPOUT,
  /** {@code w -= lr*(g + decay*w)}. Items n. {@code w, g, lr, decay}. */
  SGD,
  /** {@code m = mu*m + (g + decay*w); w -= lr*m}. Items n. {@code w, g, m, lr, mu, decay}. */
  MOMENTUM,
  /**
   * {@code g' = g + decay*w; a += g'^2; w -= lr*g'/(sqrt(a)+eps)}. Items n. {@code w, g, a, lr,
   * eps, decay}.
   */
  ADAGRAD,
  /**
   * {@code g' = g + decay*w; a = alpha*a + rest*g'^2; w -= lr*g'/(sqrt(a)+eps)} with rest =
   * 1-alpha. Items n. {@code w, g, a, lr, alpha, rest, eps, decay}.
   */
  RMSPROP,
  /**
   * {@code w -= shrink*w; g' = g + decay*w; m = b1*m + rest1*g'; v = b2*v + rest2*g'^2; w -= step*m
   * / (sqrt(v*correction2)+eps)}. In update k with learning rate lr: step = lr/(1-b1^k), rest1 =
   * 1-b1, rest2 = 1-b2, correction2 = 1/(1-b2^k), shrink = lr times the decay that bypasses the
   * moments. Items n. {@code w, g, m, v, step, b1, rest1, b2, rest2, correction2, eps, decay,
   * shrink}.
   */
  ADAM,
  /**
   * {@code partial[i] = sum of x^2 over the i-th of the launch's equal parts of x}, the last one
   * shorter. Items: the number of parts. {@code x[n], partial, long n, parts}.
   */
  SQUARE_SUM,
  /**
   * {@code out[0] = sqrt(sum partial)}, {@code out[1] = min(1, maxNorm/(out[0]+1e-6))}, as {@code
   * torch.nn.utils.clip_grad_norm_}. Items 1. {@code partial[parts], out[2], parts, maxNorm}.
   */
  CLIP_FACTOR,
  /** {@code x *= factor[0]}. Items n. {@code x, factor}. */
  SCALE_BY,
  /** {@code x = min(max(x,-limit),limit)}, NaN stays NaN. Items n. {@code x, limit}. */
  CLAMP,
  /**
   * {@code y[r,c] = exp(scale*x[r,c]) / sum_d exp(scale*x[r,d])} over the first {@code
   * lengths[r%batch]} columns, all if lengths is null; 0 in the others, whose x is not looked at.
   * scale is positive; y may be x. Items rows. {@code x[rows,cols], lengths? int[batch],
   * y[rows,cols], cols, batch, scale}.
   */
  SOFTMAX_FORWARD,
  /**
   * {@code dX[r,c] = scale * y[r,c] * (dY[r,c] - sum_d y[r,d]*dY[r,d]) + beta*dX} over the same
   * columns; {@code beta*dX} in the others, whose dY is not looked at. Items rows. {@code y, dY,
   * lengths? int[batch], dX, cols, batch, scale, beta}.
   */
  SOFTMAX_BACKWARD,
  /**
   * {@code score[i,b,j] = sum_a v[a] * tanh(x[i,b,a] + other[j,b,a])}. Items n*batch*m. {@code
   * x[n,batch,size], other[m,batch,size], v[size], score[n,batch,m], batch, m, size}.
   */
  ADDITIVE_SCORE_FORWARD,
  /**
   * {@code dX[i,b,a] = v[a] * sum_j dScore_ijb (1-u^2) + beta*dX} and {@code dV[i,b,a] = sum_j
   * dScore_ijb u} with {@code u = tanh(x[i,b,a] + other[j,b,a])}. dScore is [n,batch,m], or
   * [m,batch,n] if turned is 1: then x is what {@link #ADDITIVE_SCORE_FORWARD} calls other. Items
   * n*batch*size. {@code x[n,batch,size], other[m,batch,size], v[size], dScore, dX[n,batch,size],
   * dV?[n,batch,size], batch, n, m, size, int turned, beta}.
   */
  ADDITIVE_SCORE_BACKWARD
}
