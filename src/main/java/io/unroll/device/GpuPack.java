package io.unroll.device;

import io.unroll.Precision;
import java.util.List;
import java.util.Map;

/**
 * W_hh rounded to the device's precision and in the order of matrix fragments, which is how a lane
 * wants to read it: {@code kernels/cuda/pack.h}.
 */
final class GpuPack {
  /** Rows and columns of what a warp multiplies at a time: {@code SQUARE} of the kernels. */
  static final int SQUARE = 16;

  private static final int WARP = 32;
  private static final String FILE = "cuda/pack.h";

  private final Gpu gpu;
  private final GpuWorkspace workspace;
  private final GpuEntry forwardEntry;
  private final GpuEntry backwardEntry;
  private final KernelArgs args = new KernelArgs();
  private DeviceKernel forward;
  private DeviceKernel backward;

  /**
   * @param gpu whose precision is TF32 or BF16
   * @param workspace where they lie until somebody else asks for it
   */
  GpuPack(Gpu gpu, GpuWorkspace workspace) {
    this.gpu = gpu;
    this.workspace = workspace;
    Map<String, Integer> constants = Map.of("PRECISION", macro(gpu.precision()));
    forwardEntry = new GpuEntry(List.of(FILE), "pack_forward_kernel", constants);
    backwardEntry = new GpuEntry(List.of(FILE), "pack_backward_kernel", constants);
  }

  /** What the kernels call a precision: the macro {@code PRECISION}. */
  static int macro(Precision precision) {
    return switch (precision) {
      case FP32 -> 0;
      case TF32 -> 1;
      case BF16 -> 2;
      case FP64 -> throw new IllegalArgumentException("no GPU computes in FP64");
    };
  }

  /** Whether the device has its programs. */
  boolean isThere() {
    return gpu.has(forwardEntry) && gpu.has(backwardEntry);
  }

  /** For {@code h W_hh^T}: blocks of 16 units with all their gates, k over H. */
  DeviceBuffer forward(RecurrentCall c) {
    if (forward == null) {
      forward = gpu.entry(forwardEntry);
    }
    long blocks = GpuKernels.pieces(c.hiddenSize, SQUARE);
    return pack(forward, c, blocks * blocks);
  }

  /** For {@code dzh W_hh}: blocks of 16 units times gates, k over gates and H. */
  DeviceBuffer backward(RecurrentCall c) {
    if (backward == null) {
      backward = gpu.entry(backwardEntry);
    }
    int gates = c.cell.gateCount();
    long across = GpuKernels.pieces(c.hiddenSize, (long) gates * SQUARE);
    long deep = GpuKernels.pieces((long) gates * c.hiddenSize, SQUARE);
    return pack(backward, c, across * deep);
  }

  private DeviceBuffer pack(DeviceKernel kernel, RecurrentCall c, long blocks) {
    int gates = c.cell.gateCount();
    long squares = blocks * gates;
    int values = gpu.precision() == Precision.BF16 ? 2 : 1; // in the room of a real
    DeviceBuffer out = workspace.reals(squares * SQUARE * SQUARE / values);
    args.clear().buffer(c.weightHh, c.weightHhAt).buffer(out, 0).i32(gates).i32(c.hiddenSize);
    long lanes = squares * WARP;
    gpu.launchGroups(kernel, GpuKernels.groups(lanes, gpu.groupSize()), lanes, args);
    return out;
  }
}
