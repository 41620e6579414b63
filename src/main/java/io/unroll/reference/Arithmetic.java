package io.unroll.reference;

import io.unroll.Precision;

/**
 * How the loops of the reference round: exactly once per operation in the format that they imitate,
 * to nearest, ties to even; operands in TF32 ties away from zero, as the instruction does that
 * rounds to it.
 *
 * <p>A product of two rounded operands is exact in float64, and a float64 sum of two float32 values
 * rounded to float32 is the correctly rounded float32 sum, so {@link #FLOAT32}, {@link #TF32} and
 * {@link #BF16} are what such a machine computes when it keeps one running sum. Only inside a cell,
 * between its inputs and outputs, is the arithmetic float64 throughout; docs/numerics.md says why
 * that is good enough.
 */
public enum Arithmetic {
  /** Nothing is rounded: the oracle. */
  FLOAT64 {
    @Override
    public double round(double x) {
      return x;
    }

    @Override
    public double operand(double x) {
      return x;
    }
  },
  /** Every product, sum and cell output is rounded to float32: "plain float32". */
  FLOAT32 {
    @Override
    public double operand(double x) {
      return round(x);
    }
  },
  /** As {@link #FLOAT32}, with the operands of matrix products rounded to 10 mantissa bits. */
  TF32 {
    @Override
    public double operand(double x) {
      return dropBits((float) x, FLOAT32_MANTISSA - 10, true);
    }
  },
  /** As {@link #FLOAT32}, with the operands of matrix products rounded to bfloat16. */
  BF16 {
    @Override
    public double operand(double x) {
      return dropBits((float) x, FLOAT32_MANTISSA - 7, false);
    }
  };

  private static final int FLOAT32_MANTISSA = 23;

  /** The arithmetic that a device of this precision performs. */
  public static Arithmetic of(Precision precision) {
    return switch (precision) {
      case FP64 -> FLOAT64;
      case FP32 -> FLOAT32;
      case TF32 -> TF32;
      case BF16 -> BF16;
    };
  }

  /** The value as it is stored: float32, except that {@link #FLOAT64} leaves it alone. */
  public double round(double x) {
    return (float) x;
  }

  /** The value as it enters a matrix product. */
  public abstract double operand(double x);

  /** The stored sum of two stored values. */
  public final double add(double a, double b) {
    return round(round(a) + round(b));
  }

  /** One more term of a matrix product: {@code sum + a*b}, the product rounded before the sum. */
  public final double multiplyAdd(double sum, double a, double b) {
    return round(sum + round(operand(a) * operand(b)));
  }

  /** The last {@code count} mantissa bits of a float rounded away; overflows to infinity. */
  private static float dropBits(float x, int count, boolean tiesAway) {
    if (Float.isNaN(x)) {
      return x;
    }
    int bits = Float.floatToRawIntBits(x);
    int up = tiesAway ? 1 : (bits >>> count) & 1; // or only if the last bit that is kept is odd
    int belowHalf = (1 << (count - 1)) - 1;
    return Float.intBitsToFloat((bits + belowHalf + up) & -(1 << count));
  }
}
