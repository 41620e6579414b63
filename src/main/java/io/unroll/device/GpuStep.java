package io.unroll.device;

import io.unroll.CellSpec;
import io.unroll.Precision;
import java.util.Map;

/**
 * Product and cell of each step in one launch: {@code kernels/gpu/step.h}, and in TF32 and BF16
 * {@code kernels/cuda/step.h}.
 */
final class GpuStep implements FusedRecurrence {
  private static final int UNITS = 32;
  private static final int MOST_ROWS = 4;
  private static final int WARPS = 8;

  private final Gpu gpu;
  private final GpuTranspose transpose;
  private final GpuPack pack; // null in FP32
  private final GpuEntry forwardEntry;
  private final GpuEntry backwardEntry;
  private final Shape forwardShape;
  private final Shape backwardShape;
  private final int hiddenSize;
  private final long weightBytes;
  private final KernelArgs args = new KernelArgs();
  private DeviceKernel forward;
  private DeviceKernel backward;

  /**
   * What a group computes.
   *
   * @param units of the hidden size
   * @param rows the least that it may have of the batch
   * @param times how many times as many it has
   */
  private record Shape(int units, int rows, int times) {
    /** With as few groups as keep every processor busy, since each reads its weights anew. */
    static Shape of(Gpu gpu, int units, int rows, int most, int batch, int hiddenSize) {
      Shape shape = new Shape(units, rows, 1);
      while (shape.times < most && shape.pieces(batch, hiddenSize) > gpu.computeUnits()) {
        shape = new Shape(units, rows, 2 * shape.times);
      }
      return shape;
    }

    long pieces(int batch, int hiddenSize) {
      return GpuKernels.pieces(hiddenSize, units) * GpuKernels.pieces(batch, (long) rows * times);
    }
  }

  GpuStep(Gpu gpu, GpuWorkspace transposed, CellSpec cell, int batch, int hiddenSize) {
    this.gpu = gpu;
    this.transpose = new GpuTranspose(gpu, transposed);
    this.hiddenSize = hiddenSize;
    long bytes = gpu.precision() == Precision.BF16 ? Short.BYTES : Float.BYTES;
    this.weightBytes = bytes * cell.gateCount() * hiddenSize * hiddenSize;
    String file;
    Map<String, Integer> constants;
    if (gpu.precision() == Precision.FP32) {
      pack = null;
      int rows = gpu.groupSize() / UNITS;
      forwardShape = Shape.of(gpu, UNITS, rows, MOST_ROWS, batch, hiddenSize);
      backwardShape = forwardShape;
      file = "gpu/step.h";
      constants = Map.of("ROWS", forwardShape.times);
    } else {
      pack = new GpuPack(gpu, transposed);
      int units = GpuPack.SQUARE;
      forwardShape = Shape.of(gpu, units, units, WARPS, batch, hiddenSize);
      backwardShape = Shape.of(gpu, cell.gateCount() * units, units, WARPS, batch, hiddenSize);
      file = "cuda/step.h";
      constants = Map.of("PRECISION", GpuPack.macro(gpu.precision()));
    }
    forwardEntry = GpuEntry.of(cell, file, "step_forward_kernel", constants);
    backwardEntry = GpuEntry.of(cell, file, "step_backward_kernel", constants);
  }

  /** Whether the device has its programs. */
  boolean isThere() {
    return gpu.has(forwardEntry) && gpu.has(backwardEntry) && (pack == null || pack.isThere());
  }

  @Override
  public void forward(RecurrentCall c) {
    if (forward == null) {
      forward = gpu.entry(forwardEntry);
    }
    DeviceBuffer weights = pack == null ? transpose.recurrentWeights(c) : pack.forward(c);
    long gates = (long) c.cell.gateCount() * c.hiddenSize;
    long kept = (long) c.cell.reserved() * c.hiddenSize;
    for (int k = 0; k < c.steps; k++) {
      int t = c.time(k);
      args.clear()
          .buffer(c.zx, c.zxAt + (long) t * c.batch * gates)
          .buffer(weights, 0)
          .buffer(c.biasIh, c.biasIhAt)
          .buffer(c.biasHh, c.biasHhAt)
          .buffer(c.unit, c.unitAt)
          .buffer(c.lengths, c.lengthsAt)
          .buffer(c.resets, c.resetsAt(t))
          .buffer(c.states, c.previousAt(t))
          .buffer(c.states, c.nextAt(t))
          .buffer(c.keep, c.keepAt + (long) t * c.batch * kept)
          .buffer(c.y, c.yAt + (long) t * c.batch * c.ldY);
      addSizes(c, c.ldY, t);
      launch(forward, forwardShape, c);
    }
  }

  @Override
  public void backward(RecurrentCall c) {
    if (backward == null) {
      backward = gpu.entry(backwardEntry);
    }
    long gates = (long) c.cell.gateCount() * c.hiddenSize;
    long kept = (long) c.cell.reserved() * c.hiddenSize;
    DeviceBuffer weights = pack == null ? c.weightHh : pack.backward(c);
    long weightsAt = pack == null ? c.weightHhAt : 0;
    DeviceBuffer after = null; // no step has been run yet
    long afterAt = 0;
    int timeAfter = 0;
    for (int k = c.steps - 1; k >= -1; k--) {
      int t = c.time(Math.max(k, 0));
      long dzhAt = c.dzhAt + (long) t * c.batch * gates;
      args.clear()
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
          .buffer(c.dzh, dzhAt);
      addSizes(c, c.ldDy, k < 0 ? -1 : t); // after the first step only its product is left
      args.buffer(after, afterAt).buffer(c.resets, c.resetsAt(timeAfter));
      args.buffer(weights, weightsAt);
      launch(backward, backwardShape, c);
      after = c.dzh;
      afterAt = dzhAt;
      timeAfter = t;
    }
  }

  @Override
  public Step step(int batch) {
    long readers = GpuKernels.pieces(batch, (long) forwardShape.rows * forwardShape.times);
    return new Step(true, forwardShape.pieces(batch, hiddenSize), readers * weightBytes);
  }

  private void addSizes(RecurrentCall c, int ld, int t) {
    args.i32(c.batch).i32(c.hiddenSize).i64(c.stateStride()).i32(ld).i32(t);
  }

  private void launch(DeviceKernel kernel, Shape shape, RecurrentCall c) {
    if (pack != null) {
      args.i32(shape.times);
    }
    long pieces = shape.pieces(c.batch, c.hiddenSize);
    gpu.launchGroups(kernel, Math.min(pieces, GpuKernels.MOST_GROUPS), pieces, args);
  }
}
