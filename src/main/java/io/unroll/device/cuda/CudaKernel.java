package io.unroll.device.cuda;

import io.unroll.device.DeviceKernel;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/**
 * An entry of a loaded module.
 *
 * @param handle the driver's
 * @param kernel which of the contract it is; null for those of products and recurrences
 * @param label its name in messages and profiles
 * @param lanes of a group
 * @param groupMemory bytes of the group's memory that a launch adds to what the text declares
 */
record CudaKernel(Function handle, Kernel kernel, String label, int lanes, int groupMemory)
    implements DeviceKernel {
  /** Tells the driver what launches will ask for; it would take no more than 48 KiB. */
  void allowGroupMemory() {
    ReturnCode.require(
        JCudaDriver.cuFuncSetAttribute(
            handle,
            CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
            groupMemory),
        "cuFuncSetAttribute of %s to %d bytes of a group's memory".formatted(label, groupMemory));
  }

  /**
   * Queues the kernel with its arguments, behind which stands the number of items. A buffer is the
   * address where in it to begin.
   */
  void launch(CommandStream stream, int groups, long items, KernelArgs args) {
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
    list.kernel(this, groups, lanes, groupMemory);
  }
}
