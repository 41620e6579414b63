package io.unroll.engine;

import io.unroll.CellSpec;
import io.unroll.device.Device;
import io.unroll.device.DeviceKernel;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import io.unroll.device.RecurrentCall;
import io.unroll.device.Span;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * Launches each kernel of {@link Kernel} with typed arguments. The meaning and shapes of the
 * arguments stand there; a null span is an absent buffer.
 */
public final class Kernels {
  private final Device device;
  private final Map<Kernel, DeviceKernel> compiled = new EnumMap<>(Kernel.class);
  private final Map<CellSpec, DeviceKernel> cellForward = new HashMap<>();
  private final Map<CellSpec, DeviceKernel> cellBackward = new HashMap<>();
  private final KernelArgs args = new KernelArgs();

  /** Kernels of a device, each compiled when first launched. */
  public Kernels(Device device) {
    this.device = device;
  }

  /** The device. */
  public Device device() {
    return device;
  }

  /** {@code C[m,n] = op(A) op(B) + beta C}, all rows as long as their matrix is wide. */
  public void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      double beta,
      Span c) {
    gemmOfEachRow(transposeA, transposeB, m, n, k, 1, a, b, beta, c);
  }

  /**
   * {@code C_b[m,n] = op(A_b) op(B_b) + beta C_b} for each row b of a batch: matrix b of [rows,
   * batch, columns] has its first row at {@code b*columns} and the next one {@code batch*columns}
   * further. As many parameters as {@link #gemm} and the batch.
   */
  public void gemmOfEachRow(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      int batch,
      Span a,
      Span b,
      double beta,
      Span c) {
    int columnsA = transposeA ? m : k;
    int columnsB = transposeB ? k : n;
    for (long row = 0; row < batch; row++) {
      device.gemm(
          transposeA,
          transposeB,
          m,
          n,
          k,
          a.buffer(),
          a.at() + row * columnsA,
          batch * columnsA,
          b.buffer(),
          b.at() + row * columnsB,
          batch * columnsB,
          beta,
          c.buffer(),
          c.at() + row * n,
          batch * n);
    }
  }

  /** A value for each place of a range. */
  @FunctionalInterface
  public interface Values {
    /** The value of an element, counted from the start of the range. */
    float at(int element);
  }

  /** Sets each element of a range to a value that the host computes. */
  public void set(Span target, Values values) {
    if (device instanceof CountingDevice) {
      return; // it keeps none, and there may be many
    }
    float[] host = new float[toInt(target.length())];
    for (int i = 0; i < host.length; i++) {
      host[i] = values.at(i);
    }
    device.copyIn(host, 0, target.buffer(), target.at(), host.length);
  }

  /** Sets a range to a value. */
  public void fill(Span target, double value) {
    device.fill(target.buffer(), target.at(), target.length(), value);
  }

  /** Sets some elements of a range to a value. */
  public void fill(Span target, long from, long count, double value) {
    device.fill(target.buffer(), target.at() + from, count, value);
  }

  /** Copies count elements from a place in x to a place in y, by {@link Kernel#AXPBY}. */
  public void copy(Span x, long from, Span y, long to, long count) {
    start().buffer(x.buffer(), x.at() + from).buffer(y.buffer(), y.at() + to).real(1).real(0);
    run(Kernel.AXPBY, count);
  }

  /** Launches {@link Kernel#CELL_FORWARD} for step t; zh is scratch [B,G*H]. */
  public void cellForward(RecurrentCall c, Span zh, int t) {
    long gates = (long) c.cell.gateCount() * c.hiddenSize;
    long kept = (long) c.cell.reserved() * c.hiddenSize;
    start()
        .buffer(c.zx, c.zxAt + (long) t * c.batch * gates)
        .buffer(zh.buffer(), zh.at())
        .buffer(c.biasIh, c.biasIhAt)
        .buffer(c.biasHh, c.biasHhAt)
        .buffer(c.unit, c.unitAt)
        .buffer(c.lengths, c.lengthsAt)
        .buffer(c.resets, c.resetsAt(t))
        .buffer(c.states, c.previousAt(t))
        .buffer(c.states, c.nextAt(t))
        .buffer(c.keep, c.keepAt + (long) t * c.batch * kept)
        .buffer(c.y, c.yAt + (long) t * c.batch * c.ldY)
        .i32(c.batch)
        .i32(c.hiddenSize)
        .i64(c.stateStride())
        .i32(c.ldY)
        .i32(t);
    device.launch(
        cellForward.computeIfAbsent(c.cell, cell -> device.compile(Kernel.CELL_FORWARD, cell)),
        (long) c.batch * c.hiddenSize,
        args);
  }

  /** Launches {@link Kernel#CELL_BACKWARD} for step t. */
  public void cellBackward(RecurrentCall c, int t) {
    long gates = (long) c.cell.gateCount() * c.hiddenSize;
    long kept = (long) c.cell.reserved() * c.hiddenSize;
    start()
        .buffer(c.keep, c.keepAt + (long) t * c.batch * kept)
        .buffer(c.unit, c.unitAt)
        .buffer(c.lengths, c.lengthsAt)
        .buffer(c.resets, c.resetsAt(t))
        .buffer(c.states, c.previousAt(t))
        .buffer(c.states, c.nextAt(t))
        .buffer(c.ds, c.dsAt)
        .buffer(c.dUnit, c.dUnitAt)
        .buffer(c.dy, c.dyAt + (long) t * c.batch * c.ldDy)
        .buffer(c.dzx, c.dzxAt + (long) t * c.batch * gates)
        .buffer(c.dzh, c.dzhAt + (long) t * c.batch * gates)
        .i32(c.batch)
        .i32(c.hiddenSize)
        .i64(c.stateStride())
        .i32(c.ldDy)
        .i32(t);
    device.launch(
        cellBackward.computeIfAbsent(c.cell, cell -> device.compile(Kernel.CELL_BACKWARD, cell)),
        (long) c.batch * c.hiddenSize,
        args);
  }

  /** {@link Kernel#MASK_ROWS} of dzh in step t by its resets; out is scratch [B,G*H]. */
  public void maskRecurrentGradient(RecurrentCall c, Span out, int t) {
    int gates = c.cell.gateCount() * c.hiddenSize;
    start()
        .buffer(c.dzh, c.dzhAt + (long) t * c.batch * gates)
        .buffer(c.resets, c.resetsAt(t))
        .span(out)
        .i32(gates);
    run(Kernel.MASK_ROWS, (long) c.batch * gates);
  }

  /** Launches {@link Kernel#BIAS_ADD}. */
  public void biasAdd(Span out, Span bias) {
    start().span(out).span(bias).i32(toInt(bias.length()));
    run(Kernel.BIAS_ADD, out.length());
  }

  /** Launches {@link Kernel#COLUMN_SUM} over x[rows, out.length]. */
  public void columnSum(Span x, Span out, double beta) {
    int n = toInt(out.length());
    start().span(x).span(out).i32(toInt(x.length() / n)).i32(n).real(beta);
    run(Kernel.COLUMN_SUM, n);
  }

  /** Launches {@link Kernel#GATHER_ROWS} with rows of n. */
  public void gatherRows(Span table, Span index, Span out, int n) {
    start().span(table).span(index).span(out).i32(n);
    run(Kernel.GATHER_ROWS, out.length());
  }

  /** Launches {@link Kernel#MASK_ROWS} with rows of n; out may be longer than x. */
  public void maskRows(Span x, Span mask, Span out, int n) {
    start().span(x).span(mask).span(out).i32(n);
    run(Kernel.MASK_ROWS, x.length());
  }

  /** Launches {@link Kernel#SCATTER_ADD_ROWS} with rows of n into table[v,n]. */
  public void scatterAddRows(Span x, Span index, Span table, int n) {
    start().span(x).span(index).span(table);
    args.i32(toInt(index.length())).i32(n).i32(toInt(table.length() / n));
    run(Kernel.SCATTER_ADD_ROWS, n);
  }

  /**
   * What a target asks of a row of classes.
   *
   * @param ignore the target that counts for nothing
   * @param right the probability of the class that it names
   * @param other that of each other class
   */
  public record Wanted(int ignore, double right, double other) {}

  /** Launches {@link Kernel#CROSS_ENTROPY_FORWARD}. */
  public void crossEntropyForward(Span logits, Span target, Span lse, Span loss, Wanted wanted) {
    int rows = toInt(target.length());
    start().span(logits).span(target).span(lse).span(loss);
    args.i32(toInt(logits.length() / rows)).i32(wanted.ignore);
    args.real(wanted.right).real(wanted.other);
    run(Kernel.CROSS_ENTROPY_FORWARD, rows);
  }

  /** Launches {@link Kernel#CROSS_ENTROPY_MEAN}. */
  public void crossEntropyMean(Span loss, Span target, Span out, int ignore) {
    start().span(loss).span(target).span(out).i32(toInt(target.length())).i32(ignore);
    run(Kernel.CROSS_ENTROPY_MEAN, 1);
  }

  /** Launches {@link Kernel#CROSS_ENTROPY_BACKWARD}; as many parameters as the kernel has. */
  public void crossEntropyBackward(
      Span logits,
      Span target,
      Span lse,
      Span mean,
      Span dLoss,
      Span dLogits,
      Wanted wanted,
      double beta) {
    start().span(logits).span(target).span(lse).span(mean).span(dLoss).span(dLogits);
    args.i32(toInt(logits.length() / target.length())).i32(wanted.ignore);
    args.real(wanted.right).real(wanted.other).real(beta);
    run(Kernel.CROSS_ENTROPY_BACKWARD, logits.length());
  }

  /** Launches {@link Kernel#SQUARED_ERROR_MEAN}. */
  public void squaredErrorMean(Span x, Span target, Span weights, Span out) {
    start().span(x).span(target).span(weights).span(out).i32(toInt(x.length()));
    run(Kernel.SQUARED_ERROR_MEAN, 1);
  }

  /** Launches {@link Kernel#SQUARED_ERROR_BACKWARD}; as many parameters as the kernel has. */
  public void squaredErrorBackward(
      Span x, Span target, Span weights, Span mean, Span dLoss, Span dX, double beta) {
    start().span(x).span(target).span(weights).span(mean).span(dLoss).span(dX);
    args.real(beta);
    run(Kernel.SQUARED_ERROR_BACKWARD, x.length());
  }

  /** Launches {@link Kernel#CTC_EMISSIONS}. */
  public void ctcEmissions(CtcRows rows, Span lse, Span emission) {
    start().span(rows.logits()).span(rows.symbols()).span(rows.lengths()).span(lse).span(emission);
    args.i32(rows.batch()).i32(rows.classes()).i32(rows.longest());
    run(Kernel.CTC_EMISSIONS, (long) rows.steps() * rows.batch());
  }

  /**
   * Launches {@link Kernel#CTC_PATHS}, in as many directions as there is room for in paths.
   *
   * @param lossAndScale [2,B]
   */
  public void ctcPaths(
      CtcRows rows,
      Span emission,
      Span weight,
      Span paths,
      Span lossAndScale,
      boolean zeroInfinity) {
    int batch = rows.batch();
    start().span(emission).span(rows.symbols()).span(rows.labelLengths()).span(rows.lengths());
    args.span(weight).span(paths).span(lossAndScale);
    args.buffer(lossAndScale.buffer(), lossAndScale.at() + batch);
    args.i32(rows.steps()).i32(batch).i32(rows.longest()).i32(zeroInfinity ? 1 : 0);
    run(Kernel.CTC_PATHS, paths.length() / rows.steps() / (2 * rows.longest() + 3));
  }

  /** Launches {@link Kernel#CTC_BACKWARD}; as many parameters as the kernel has besides rows. */
  public void ctcBackward(
      CtcRows rows,
      Span lse,
      Span emission,
      Span paths,
      Span scale,
      Span dLoss,
      Span dLogits,
      double beta) {
    start().span(rows.logits()).span(rows.symbols()).span(rows.labelLengths()).span(rows.lengths());
    args.span(lse).span(emission).span(paths).span(scale).span(dLoss).span(dLogits);
    args.i32(rows.steps()).i32(rows.batch()).i32(rows.classes()).i32(rows.longest()).real(beta);
    run(Kernel.CTC_BACKWARD, (long) rows.steps() * rows.batch());
  }

  /** Launches {@link Kernel#SAMPLE}, which draws as many classes as out is long. */
  public void sample(
      Span logits, Span out, int topK, double inverseTemperature, long seed, long position) {
    int rows = toInt(out.length());
    start().span(logits).span(out).i32(toInt(logits.length() / rows)).i32(topK);
    args.real(inverseTemperature).i64(seed).i64(position);
    run(Kernel.SAMPLE, rows);
  }

  /** Launches one of the kernels {@code NAME_FORWARD(x, y)}. */
  public void activationForward(Kernel kernel, Span x, Span y) {
    start().span(x).span(y);
    run(kernel, x.length());
  }

  /** Launches one of the kernels {@code NAME_BACKWARD(y, dY, dX, beta)}. */
  public void activationBackward(Kernel kernel, Span y, Span dY, Span dX, double beta) {
    start().span(y).span(dY).span(dX).real(beta);
    run(kernel, y.length());
  }

  /** Launches {@link Kernel#AXPBY}. */
  public void axpby(Span x, Span y, double a, double beta) {
    start().span(x).span(y).real(a).real(beta);
    run(Kernel.AXPBY, x.length());
  }

  /** Launches {@link Kernel#MULTIPLY}. */
  public void multiply(Span a, Span b, Span out, double beta) {
    start().span(a).span(b).span(out).real(beta);
    run(Kernel.MULTIPLY, out.length());
  }

  /** Launches {@link Kernel#COPY_ROWS} for rows of cols elements. */
  public void copyRows(Span x, int ldX, Span out, int ldOut, int rows, int cols, double beta) {
    start().span(x).span(out).i32(cols).i32(ldX).i32(ldOut).real(beta);
    run(Kernel.COPY_ROWS, (long) rows * cols);
  }

  /** Launches {@link Kernel#TRANSPOSE} of x[rows,cols]. */
  public void transpose(Span x, Span out, int rows, int cols, double beta) {
    start().span(x).span(out).i32(rows).i32(cols).real(beta);
    run(Kernel.TRANSPOSE, x.length());
  }

  /** Launches {@link Kernel#DROPOUT} with probability p of dropping an element. */
  public void dropout(Span x, Span out, double p, long seed, long counter, double beta) {
    start().span(x).span(out).real(p).real(1 / (1 - p)).i64(seed).i64(counter).real(beta);
    run(Kernel.DROPOUT, x.length());
  }

  /**
   * Launches an optimizer's kernel.
   *
   * @param states the buffers behind w and g
   * @param numbers the numbers behind the buffers
   */
  public void optimizerStep(Kernel kernel, Span w, Span g, Span[] states, double[] numbers) {
    start().span(w).span(g);
    for (Span state : states) {
      args.buffer(state.buffer(), state.at());
    }
    for (double number : numbers) {
      args.real(number);
    }
    run(kernel, w.length());
  }

  /** Launches {@link Kernel#SQUARE_SUM} with as many parts as partial is long. */
  public void squareSum(Span x, Span partial) {
    start().span(x).span(partial).i64(x.length()).i32(toInt(partial.length()));
    run(Kernel.SQUARE_SUM, partial.length());
  }

  /** Launches {@link Kernel#CLIP_FACTOR}. */
  public void clipFactor(Span partial, Span out, double maxNorm) {
    start().span(partial).span(out).i32(toInt(partial.length())).real(maxNorm);
    run(Kernel.CLIP_FACTOR, 1);
  }

  /** Launches {@link Kernel#SCALE_BY}. */
  public void scaleBy(Span x, Span factor) {
    start().span(x).span(factor);
    run(Kernel.SCALE_BY, x.length());
  }

  /** Launches {@link Kernel#CLAMP}. */
  public void clamp(Span x, double limit) {
    start().span(x).real(limit);
    run(Kernel.CLAMP, x.length());
  }

  /** Launches {@link Kernel#SOFTMAX_FORWARD} of rows of cols; lengths may be null. */
  public void softmaxForward(Span x, Span lengths, Span y, int cols, int batch, double scale) {
    start().span(x).span(lengths).span(y).i32(cols).i32(batch).real(scale);
    run(Kernel.SOFTMAX_FORWARD, x.length() / cols);
  }

  /** Launches {@link Kernel#SOFTMAX_BACKWARD}; as many parameters as the kernel has. */
  public void softmaxBackward(
      Span y, Span dY, Span lengths, Span dX, int cols, int batch, double scale, double beta) {
    start().span(y).span(dY).span(lengths).span(dX).i32(cols).i32(batch).real(scale).real(beta);
    run(Kernel.SOFTMAX_BACKWARD, y.length() / cols);
  }

  /** Launches {@link Kernel#ADDITIVE_SCORE_FORWARD}; v tells the size. */
  public void additiveScoreForward(Span x, Span other, Span v, Span score, int batch) {
    int size = toInt(v.length());
    start().span(x).span(other).span(v).span(score);
    args.i32(batch).i32(toInt(other.length() / size / batch)).i32(size);
    run(Kernel.ADDITIVE_SCORE_FORWARD, score.length());
  }

  /** Launches {@link Kernel#ADDITIVE_SCORE_BACKWARD}; as many parameters as the kernel has. */
  public void additiveScoreBackward(
      Span x,
      Span other,
      Span v,
      Span dScore,
      Span dX,
      Span dV,
      int batch,
      boolean turned,
      double beta) {
    int size = toInt(v.length());
    start().span(x).span(other).span(v).span(dScore).span(dX).span(dV);
    args.i32(batch).i32(toInt(x.length() / size / batch)).i32(toInt(other.length() / size / batch));
    args.i32(size).i32(turned ? 1 : 0).real(beta);
    run(Kernel.ADDITIVE_SCORE_BACKWARD, x.length());
  }

  private KernelArgs start() {
    return args.clear();
  }

  private void run(Kernel kernel, long items) {
    DeviceKernel ready = compiled.get(kernel);
    if (ready == null) {
      ready = device.compile(kernel, null);
      compiled.put(kernel, ready);
    }
    device.launch(ready, items, args);
  }

  private static int toInt(long length) {
    return Math.toIntExact(length);
  }
}
