package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/**
 * Values of eight bytes each that a native function reads as a structure; written again for every
 * call.
 */
final class NativeBlock {
  private final LongBuffer values;
  private final long address;

  /** Has room for so many values. */
  NativeBlock(int capacity) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(capacity * Long.BYTES).order(ByteOrder.nativeOrder());
    values = bytes.asLongBuffer();
    address = Native.address(bytes);
  }

  /** Forgets all values. */
  NativeBlock clear() {
    values.clear();
    return this;
  }

  /** Adds an integer or an address. */
  NativeBlock add(long value) {
    values.put(value);
    return this;
  }

  /** Replaces all values by the arguments of a launch. */
  NativeBlock set(KernelArgs args) {
    clear();
    for (int i = 0; i < args.count(); i++) {
      add(
          switch (args.kind(i)) {
            case BUFFER -> NativeBuffer.address(args.bufferAt(i), args.offsetAt(i));
            case I32 -> args.i32At(i);
            case I64 -> args.i64At(i);
            case REAL -> Double.doubleToRawLongBits(args.realAt(i));
          });
    }
    return this;
  }

  /** Where the first value lies; valid as long as this object is reachable. */
  long address() {
    return address;
  }
}
