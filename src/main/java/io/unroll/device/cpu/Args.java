package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;

/** Reads the arguments of a launch as Java arrays and numbers. */
final class Args {
  private Args() {}

  /** The floats of buffer argument i, or null. */
  static float[] reals(KernelArgs args, int i) {
    return JavaBuffer.reals(args.bufferAt(i));
  }

  /** The integers of buffer argument i, or null. */
  static int[] integers(KernelArgs args, int i) {
    return JavaBuffer.integers(args.bufferAt(i));
  }

  /** Where buffer argument i begins. */
  static int at(KernelArgs args, int i) {
    return (int) args.offsetAt(i);
  }

  /** Integer argument i, of 32 or 64 bits; no buffer is longer than an int. */
  static int integer(KernelArgs args, int i) {
    return args.kind(i) == KernelArgs.Kind.I64 ? Math.toIntExact(args.i64At(i)) : args.i32At(i);
  }

  /** Real argument i in the device's type. */
  static float real(KernelArgs args, int i) {
    return (float) args.realAt(i);
  }
}
