package io.unroll.device;

import io.unroll.CellSpec;

/** All steps in one launch: {@code kernels/gpu/sequence.h}. */
final class GpuSequence implements FusedRecurrence {
  private final Gpu gpu;
  private final GpuTranspose transpose;
  private final GpuSequencePlan plan;
  private final GpuEntry forwardEntry;
  private final GpuEntry backwardEntry;
  private final KernelArgs args = new KernelArgs();
  private DeviceKernel forward;
  private DeviceKernel backward;

  GpuSequence(Gpu gpu, GpuWorkspace transposed, CellSpec cell, GpuSequencePlan plan) {
    this.gpu = gpu;
    this.transpose = new GpuTranspose(gpu, transposed);
    this.plan = plan;
    forwardEntry = plan.forward(cell);
    backwardEntry = plan.backward(cell);
  }

  @Override
  public void forward(RecurrentCall c) {
    if (forward == null) {
      forward = gpu.entry(forwardEntry);
    }
    DeviceBuffer weights = transpose.recurrentWeights(c);
    args.clear()
        .buffer(c.zx, c.zxAt)
        .buffer(weights, 0)
        .buffer(c.biasIh, c.biasIhAt)
        .buffer(c.biasHh, c.biasHhAt)
        .buffer(c.unit, c.unitAt)
        .buffer(c.lengths, c.lengthsAt)
        .buffer(c.resets, c.resetsAt)
        .buffer(c.states, c.statesAt)
        .buffer(c.keep, c.keepAt)
        .buffer(c.y, c.yAt);
    launch(forward, c, c.ldY);
  }

  @Override
  public void backward(RecurrentCall c) {
    if (backward == null) {
      backward = gpu.entry(backwardEntry);
    }
    args.clear()
        .buffer(c.weightHh, c.weightHhAt)
        .buffer(c.keep, c.keepAt)
        .buffer(c.unit, c.unitAt)
        .buffer(c.lengths, c.lengthsAt)
        .buffer(c.resets, c.resetsAt)
        .buffer(c.states, c.statesAt)
        .buffer(c.ds, c.dsAt)
        .buffer(c.dUnit, c.dUnitAt)
        .buffer(c.dy, c.dyAt)
        .buffer(c.dzx, c.dzxAt)
        .buffer(c.dzh, c.dzhAt);
    launch(backward, c, c.ldDy);
  }

  @Override
  public Step step(int batch) {
    long groups = GpuKernels.pieces(batch, plan.rowsOfGroup(gpu.groupSize()));
    return new Step(false, groups, plan.kept() ? 0 : groups * Float.BYTES * plan.weights());
  }

  private void launch(DeviceKernel kernel, RecurrentCall c, int ld) {
    args.i32(c.steps).i32(c.batch).i32(c.hiddenSize).i32(c.reverse ? 1 : 0).i32(ld);
    args.i32(plan.lanesOfRow());
    long groups = GpuKernels.pieces(c.batch, plan.rowsOfGroup(gpu.groupSize()));
    gpu.launchGroups(kernel, groups, groups, args);
  }
}
