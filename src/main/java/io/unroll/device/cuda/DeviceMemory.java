package io.unroll.device.cuda;

import jcuda.driver.CUdeviceptr;

/** Memory of the device, whose address goes into the arguments of kernels. */
final class DeviceMemory extends CUdeviceptr {
  /** The driver's address; 0 before it is allocated. */
  long address() {
    return getNativePointer() + getByteOffset();
  }
}
