package io.unroll.device;

import io.unroll.CellSpec;

/** All steps in one launch with W_hh on the chip: {@code kernels/cuda/block.h}. */
final class GpuBlock implements FusedRecurrence {
  private final Gpu gpu;
  private final GpuBlockPlan plan;
  private final GpuEntry forwardEntry;
  private final GpuEntry backwardEntry;
  private final KernelArgs args = new KernelArgs();
  private DeviceKernel forward;
  private DeviceKernel backward;

  GpuBlock(Gpu gpu, CellSpec cell, GpuBlockPlan plan) {
    this.gpu = gpu;
    this.plan = plan;
    forwardEntry = plan.forward(cell);
    backwardEntry = plan.backward(cell);
  }

  @Override
  public void forward(RecurrentCall c) {
    if (forward == null) {
      forward = gpu.entry(forwardEntry);
    }
    args.clear()
        .buffer(c.zx, c.zxAt)
        .buffer(c.weightHh, c.weightHhAt)
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
    return new Step(false, GpuKernels.pieces(batch, plan.rowsOfGroup()), 0);
  }

  private void launch(DeviceKernel kernel, RecurrentCall c, int ld) {
    assert c.hiddenSize <= plan.mostHidden() : c.hiddenSize + " units, made for fewer";
    args.i32(c.steps).i32(c.batch).i32(c.hiddenSize).i32(c.reverse ? 1 : 0).i32(ld);
    long groups = GpuKernels.pieces(c.batch, plan.rowsOfGroup());
    gpu.launchGroups(kernel, groups, groups, args);
  }
}
