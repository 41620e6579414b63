package io.unroll.device;

import io.unroll.CellSpec;
import java.util.Map;

/** Product and cell of each step in one launch: {@code kernels/gpu/step.h}. */
final class GpuStep implements FusedRecurrence {
  private static final int UNITS = 32;
  private static final int MOST_ROWS = 4;

  private final Gpu gpu;
  private final GpuTranspose transpose;
  private final GpuEntry forwardEntry;
  private final GpuEntry backwardEntry;
  private final int rowsOfGroup;
  private final KernelArgs args = new KernelArgs();
  private DeviceKernel forward;
  private DeviceKernel backward;

  GpuStep(Gpu gpu, GpuWorkspace transposed, CellSpec cell, int batch, int hiddenSize) {
    this.gpu = gpu;
    this.transpose = new GpuTranspose(gpu, transposed);
    int lanes = gpu.groupSize() / UNITS;
    long across = GpuKernels.pieces(hiddenSize, UNITS);
    int rows = 1;
    while (rows < MOST_ROWS
        && across * GpuKernels.pieces(batch, (long) lanes * rows) > gpu.computeUnits()) {
      rows *= 2;
    }
    this.rowsOfGroup = lanes * rows;
    Map<String, Integer> constants = Map.of("ROWS", rows);
    forwardEntry = GpuEntry.of(cell, "gpu/step.h", "step_forward_kernel", constants);
    backwardEntry = GpuEntry.of(cell, "gpu/step.h", "step_backward_kernel", constants);
  }

  /** Whether the device has its programs. */
  boolean isThere() {
    return gpu.has(forwardEntry) && gpu.has(backwardEntry);
  }

  @Override
  public void forward(RecurrentCall c) {
    if (forward == null) {
      forward = gpu.entry(forwardEntry);
    }
    DeviceBuffer weights = transpose.recurrentWeights(c);
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
      launch(forward, c);
    }
  }

  @Override
  public void backward(RecurrentCall c) {
    if (backward == null) {
      backward = gpu.entry(backwardEntry);
    }
    long gates = (long) c.cell.gateCount() * c.hiddenSize;
    long kept = (long) c.cell.reserved() * c.hiddenSize;
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
      args.buffer(c.weightHh, c.weightHhAt);
      launch(backward, c);
      after = c.dzh;
      afterAt = dzhAt;
      timeAfter = t;
    }
  }

  private void addSizes(RecurrentCall c, int ld, int t) {
    args.i32(c.batch).i32(c.hiddenSize).i64(c.stateStride()).i32(ld).i32(t);
  }

  private void launch(DeviceKernel kernel, RecurrentCall c) {
    long pieces = GpuKernels.pieces(c.hiddenSize, UNITS) * GpuKernels.pieces(c.batch, rowsOfGroup);
    gpu.launchGroups(kernel, Math.min(pieces, GpuKernels.MOST_GROUPS), pieces, args);
  }
}
