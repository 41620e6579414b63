package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Random;

/** Reals on a device between guard words that nobody may change. */
public final class Guarded implements AutoCloseable {
  /** How many guard words stand before and behind; odd, so that the data is not aligned. */
  static final int GUARDS = 5;

  /** How many of them stand behind; with none, whoever watches sees what runs over the end. */
  private static final int BEHIND = Integer.getInteger("unroll.test.guards", GUARDS);

  private static final float GUARD = 7.25e11f;

  final DeviceBuffer buffer;
  final int length;
  private final Device device;

  private Guarded(Device device, float[] values) {
    this.device = device;
    length = values.length;
    buffer = device.allocate(ElementType.REAL, length + GUARDS + BEHIND, "guarded");
    // In one piece: of what a host writes in parts Oclgrind remembers the last one alone.
    float[] all = new float[length + GUARDS + BEHIND];
    java.util.Arrays.fill(all, GUARD);
    System.arraycopy(values, 0, all, GUARDS, length);
    device.copyIn(all, 0, buffer, 0, all.length);
  }

  static Guarded of(Device device, float... values) {
    return new Guarded(device, values);
  }

  static Guarded filled(Device device, int length, float value) {
    float[] values = new float[length];
    java.util.Arrays.fill(values, value);
    return new Guarded(device, values);
  }

  /** Reals with mixed signs between -1 and 1. */
  static Guarded random(Device device, int length, Random random) {
    return random(device, length, random, 1);
  }

  /** Reals with mixed signs between -limit and limit. */
  static Guarded random(Device device, int length, Random random, float limit) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = limit * (2 * random.nextFloat() - 1);
    }
    return new Guarded(device, values);
  }

  /** Adds it to the arguments of a launch. */
  KernelArgs addTo(KernelArgs args) {
    return args.buffer(buffer, GUARDS);
  }

  /** The values; checks the guards. */
  float[] values() {
    float[] all = new float[length + GUARDS + BEHIND];
    device.copyOut(buffer, 0, all, 0, all.length);
    for (int i = 0; i < all.length; i++) {
      if (i < GUARDS) {
        assertEquals(GUARD, all[i], "guard word before the data");
      } else if (i >= GUARDS + length) {
        assertEquals(GUARD, all[i], "guard word behind the data");
      }
    }
    return java.util.Arrays.copyOfRange(all, GUARDS, GUARDS + length);
  }

  /** Fails, with the place, unless every value is near; a NaN is near to a NaN only. */
  static void assertNear(double[] expected, float[] found, double relative, String what) {
    assertEquals(expected.length, found.length, what);
    for (int i = 0; i < expected.length; i++) {
      boolean same =
          Double.isNaN(expected[i])
              ? Float.isNaN(found[i])
              : expected[i] == found[i]
                  || Math.abs(expected[i] - found[i]) <= relative * (1 + Math.abs(expected[i]));
      if (!same) {
        fail(what + ": element " + i + " should be " + expected[i] + " but is " + found[i]);
      }
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
