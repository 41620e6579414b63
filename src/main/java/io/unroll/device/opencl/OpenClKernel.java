package io.unroll.device.opencl;

import io.unroll.device.DeviceKernel;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import org.lwjgl.opencl.CL10;

/** A built entry of the kernels' text. */
final class OpenClKernel implements DeviceKernel, AutoCloseable {
  private final long handle;
  private final Kernel kernel;
  private final String label;

  /**
   * @param handle OpenCL's
   * @param kernel which of the contract it is; null for those of products and recurrences
   * @param label its name in messages and profiles
   */
  OpenClKernel(long handle, Kernel kernel, String label) {
    this.handle = handle;
    this.kernel = kernel;
    this.label = label;
  }

  @Override
  public Kernel kernel() {
    return kernel;
  }

  /**
   * Sets the arguments, behind which stands the number of items, and queues the kernel. A buffer is
   * two parameters: its memory and where in it to begin.
   */
  void launch(CommandQueue queue, long groups, int group, long items, KernelArgs args) {
    int index = 0;
    for (int i = 0; i < args.count(); i++) {
      switch (args.kind(i)) {
        case BUFFER -> {
          queue.setEight(handle, index++, OpenClBuffer.memory(args.bufferAt(i)));
          queue.setEight(handle, index++, args.offsetAt(i));
        }
        case I32 -> queue.setFour(handle, index++, args.i32At(i));
        case I64 -> queue.setEight(handle, index++, args.i64At(i));
        case REAL ->
            queue.setFour(handle, index++, Float.floatToRawIntBits((float) args.realAt(i)));
      }
    }
    queue.setEight(handle, index, items);
    queue.launch(handle, groups * group, group, label);
  }

  @Override
  public void close() {
    ReturnCode.freed(CL10.clReleaseKernel(handle), "clReleaseKernel");
  }
}
