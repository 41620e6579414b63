package io.unroll.device;

/** A kernel that a device has made ready; see {@link Device#compile}. */
public interface DeviceKernel {
  /** Which kernel it is. */
  Kernel kernel();
}
