package io.unroll.device;

/** W_hh by columns, so that the lanes of a group read neighbours. */
final class GpuTranspose {
  private final Gpu gpu;
  private final GpuWorkspace workspace;
  private final KernelArgs args = new KernelArgs();
  private DeviceKernel kernel;

  /**
   * @param workspace where it lies until somebody else asks for it
   */
  GpuTranspose(Gpu gpu, GpuWorkspace workspace) {
    this.gpu = gpu;
    this.workspace = workspace;
  }

  /** W_hh of a call as [H, G*H]. */
  DeviceBuffer recurrentWeights(RecurrentCall c) {
    if (kernel == null) {
      kernel = gpu.compile(Kernel.TRANSPOSE, null);
    }
    int gates = c.cell.gateCount() * c.hiddenSize;
    long size = (long) gates * c.hiddenSize;
    DeviceBuffer out = workspace.reals(size);
    args.clear().buffer(c.weightHh, c.weightHhAt).buffer(out, 0);
    args.i32(gates).i32(c.hiddenSize).real(0);
    gpu.launch(kernel, size, args);
    return out;
  }
}
