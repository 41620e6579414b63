package io.unroll.device.cuda;

import io.unroll.device.DeviceKernel;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;

/**
 * An entry of a loaded module.
 *
 * @param handle the driver's
 * @param kernel which of the contract it is; null for those of products and recurrences
 * @param label its name in messages and profiles
 */
record CudaKernel(Function handle, Kernel kernel, String label) implements DeviceKernel {
  /**
   * Queues the kernel with its arguments, behind which stands the number of items. A buffer is the
   * address where in it to begin.
   *
   * @param dynamicBytes memory of a group besides what its text declares
   */
  void launch(
      CommandStream stream, int groups, int group, int dynamicBytes, long items, KernelArgs args) {
    CommandList list = stream.begin();
    for (int i = 0; i < args.count(); i++) {
      list.value(
          switch (args.kind(i)) {
            case BUFFER -> CudaBuffer.address(args.bufferAt(i), args.offsetAt(i));
            case I32 -> args.i32At(i);
            case I64 -> args.i64At(i);
            case REAL -> Float.floatToRawIntBits((float) args.realAt(i));
          });
    }
    list.value(items);
    list.kernel(this, groups, group, dynamicBytes);
  }
}
