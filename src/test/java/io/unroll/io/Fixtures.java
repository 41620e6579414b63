package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.FileFormatException;
import io.unroll.nn.Linear;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.reference.Tolerance;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** The files in the folder exchange, and what they must compute. */
public final class Fixtures {
  private Fixtures() {}

  /** A file of src/test/resources/exchange. */
  public static Path path(String name) {
    try {
      return Path.of(Fixtures.class.getResource("/exchange/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** A stack "rnn" with a linear layer "head" over it, after loading weights strictly. */
  static double[] compute(
      String device, Weights weights, RecurrentConfig config, int outputs, double[] x, int[] shape)
      throws FileFormatException {
    try (Backend backend = Backend.open(device);
        Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = new Recurrent(parameters, "rnn", config);
      Linear head =
          new Linear(parameters, "head", config.directions() * config.hiddenSize(), outputs);
      weights.load(parameters);
      tape.begin(Tape.Mode.EVALUATION);
      return head.forward(recurrent.forward(tape.input(x, shape)).y()).toDoubles();
    }
  }

  /** What others computed in float32 lies within the tolerance around the reference. */
  static void assertClose(
      double[] found, Weights weights, RecurrentConfig config, int outputs, double[] x, int[] shape)
      throws FileFormatException {
    double[] exact = compute("reference", weights, config, outputs, x, shape);
    double[] plain = compute("cpu", weights, config, outputs, x, shape);
    assertClose(found, exact, plain);
  }

  /** The same for what was computed elsewhere. */
  static void assertClose(double[] found, double[] exact, double[] plain) {
    assertEquals(exact.length, found.length);
    Tolerance.Comparison worst = Tolerance.of(exact, plain).compare(found);
    assertTrue(worst.passes(), worst::toString);
  }
}
