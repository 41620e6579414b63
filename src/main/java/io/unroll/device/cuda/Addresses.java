package io.unroll.device.cuda;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;

/** Numbers as the pointers that the driver's functions take. */
final class Addresses {
  private static final CUdeviceptr DEVICE = new CUdeviceptr();
  private static final Pointer HOST = new Pointer();

  private Addresses() {}

  static CUdeviceptr device(long address) {
    return DEVICE.withByteOffset(address);
  }

  static Pointer host(long address) {
    return HOST.withByteOffset(address);
  }
}
