package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Philox;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SensitivityTest {
  private static final double NEAR = 1e-6;

  private static float[] uniform(int seed, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (2 * Philox.uniform(seed, i) - 1);
    }
    return values;
  }

  @Test
  void workedByHand() {
    float[] unit = {1, 2, 3, 4, 2, 1, 4, 3};
    float[] property = {0, 0, 1, 1, 0, 0, 1, 1};
    Sensitivity found = Sensitivity.of(unit, property);
    // Deviations -1.5, -0.5, 0.5, 1.5 and -0.5, 0.5, in each half: 2 / (sqrt(5) * 1).
    assertEquals(2 / Math.sqrt(5), found.correlation(), NEAR);
    assertEquals(2 / Math.sqrt(5), found.held(), NEAR);
    assertEquals(1, found.information(), NEAR, "the unit tells the property, which has one bit");
  }

  @Test
  void signIsThatOfTheSlope() {
    float[] unit = uniform(1, 1000);
    float[] opposite = new float[unit.length];
    for (int i = 0; i < unit.length; i++) {
      opposite[i] = 3 - 7 * unit[i];
    }
    Sensitivity found = Sensitivity.of(unit, opposite);
    assertEquals(-1, found.correlation(), NEAR);
    assertEquals(-1, found.held(), NEAR);
    assertEquals(3, found.information(), 1e-3, "eight classes of equal counts");
  }

  @Test
  void whatIsNoLineIsInformationOnly() {
    float[] unit = uniform(2, 20_000);
    float[] square = new float[unit.length];
    for (int i = 0; i < unit.length; i++) {
      square[i] = unit[i] * unit[i];
    }
    Sensitivity found = Sensitivity.of(unit, square);
    assertEquals(0, found.correlation(), 0.02);
    assertTrue(found.information() > 1.9, found::toString);
  }

  @Test
  void independentOnesHaveTheBiasThatIsDocumented() {
    int count = 20_000;
    Sensitivity found = Sensitivity.of(uniform(3, count), uniform(4, count));
    assertEquals(0, found.correlation(), 0.02);
    assertEquals(49 / (2 * count * Math.log(2)), found.information(), 1e-3);
  }

  @Test
  void halvesThatDisagreeHoldNothing() {
    float[] property = {1, 2, 3, 1, 2, 3};
    assertEquals(0, Sensitivity.of(new float[] {1, 2, 3, 3, 2, 1}, property).held());
    Sensitivity weak = Sensitivity.of(new float[] {1, 2, 3, 2, 1, 3}, property);
    assertEquals(0.5, weak.held(), NEAR, "the weaker half");
    Sensitivity late =
        Sensitivity.of(new float[] {1, 2, 3, 1, 2, 3}, new float[] {0, 0, 0, 1, 2, 3});
    assertEquals(0, late.held(), NEAR, "the first half shows nothing");
  }

  /** Whatever rounding makes of its mean. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7, 99, 999, 1001, 10_007})
  void aConstantFollowsNothing(int count) {
    float[] constant = new float[count];
    Arrays.fill(constant, 0.1f);
    assertEquals(new Sensitivity(0, 0, 0), Sensitivity.of(constant, uniform(5, count)));
  }

  /** However rare one of two values is, no class has both. */
  @ParameterizedTest
  @ValueSource(ints = {1, 10, 300, 500, 700, 990, 999})
  void twoValuesAreTwoClasses(int ones) {
    float[] property = new float[1000];
    Arrays.fill(property, 0, ones, 1);
    double p = ones / 1000.0;
    double entropy = -(p * Math.log(p) + (1 - p) * Math.log(1 - p)) / Math.log(2);
    assertEquals(entropy, Sensitivity.of(property, property).information(), NEAR);
  }

  @Test
  void lengthsMustAgree() {
    assertThrows(IllegalArgumentException.class, () -> Sensitivity.of(new float[3], new float[4]));
    assertThrows(IllegalArgumentException.class, () -> Sensitivity.of(new float[0], new float[0]));
  }
}
