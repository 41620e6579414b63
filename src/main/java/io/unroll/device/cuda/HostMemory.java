package io.unroll.device.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Memory of the host that stays in its place, so that the device reads and writes it by itself. */
final class HostMemory extends Pointer implements AutoCloseable {
  private ByteBuffer bytes;

  /**
   * Takes memory of the context that is current.
   *
   * @param what it is for, for messages
   * @throws io.unroll.DeviceException if there is none
   */
  HostMemory(long size, String what) {
    ReturnCode.require(JCudaDriver.cuMemHostAlloc(this, size, 0), "cuMemHostAlloc of " + what);
    bytes = getByteBuffer(0, size).order(ByteOrder.nativeOrder());
  }

  /** The host's address. */
  long address() {
    return getNativePointer() + getByteOffset();
  }

  /** A part of it; it must not be used after {@link #close}. */
  ByteBuffer slice(int at, int size) {
    return bytes.slice(at, size).order(ByteOrder.nativeOrder());
  }

  /** Gives it back; nobody may be copying. A second call does nothing. */
  @Override
  public void close() {
    if (bytes != null) {
      bytes = null;
      // After a failure the driver refuses this as well, and takes the memory back with the
      // context.
      ReturnCode.freed(JCudaDriver.cuMemFreeHost(this), "cuMemFreeHost");
    }
  }
}
