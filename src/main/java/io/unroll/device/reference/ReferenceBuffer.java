package io.unroll.device.reference;

import io.unroll.DeviceException;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;

/** A buffer of doubles or of integers on the heap. */
final class ReferenceBuffer implements DeviceBuffer {
  private final ReferenceDevice device;
  private final ElementType type;
  private final int length;
  private final String purpose;
  double[] reals;
  int[] ints;

  ReferenceBuffer(ReferenceDevice device, ElementType type, long length, String purpose) {
    this.device = device;
    this.type = type;
    this.purpose = purpose;
    if (length > Integer.MAX_VALUE - 8) {
      throw new DeviceException(
          purpose
              + " needs "
              + length
              + " elements, but a buffer of the reference holds at most 2147483639;"
              + " use a smaller batch or the cpu backend");
    }
    this.length = (int) length;
    try {
      if (type == ElementType.REAL) {
        reals = new double[this.length];
      } else {
        ints = new int[this.length];
      }
    } catch (OutOfMemoryError e) {
      throw new OutOfDeviceMemoryException(
          purpose
              + " needs "
              + bytes()
              + " bytes, but the Java heap has no room for them; raise -Xmx or use a smaller batch",
          bytes(),
          device.liveBytes(),
          device.memoryBytes(),
          e);
    }
  }

  long bytes() {
    return (long) length * type.bytes(device.precision());
  }

  @Override
  public ElementType type() {
    return type;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public String purpose() {
    return purpose;
  }

  @Override
  public void close() {
    device.release(this);
    reals = null;
    ints = null;
  }
}
