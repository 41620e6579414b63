package io.unroll.peers.unroll;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;

/** Prints the first number of a small GRU: its whole process is timed from outside. */
final class FirstResult {
  private static final int STEPS = 16;
  private static final int INPUT_SIZE = 8;
  private static final int HIDDEN_SIZE = 16;

  private FirstResult() {}

  /** Takes no arguments. */
  public static void main(String... args) {
    try (Backend backend = Backend.open("cpu");
        Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      RecurrentConfig config = RecurrentConfig.of(CellSpec.GRU, INPUT_SIZE, HIDDEN_SIZE);
      Recurrent gru = new Recurrent(parameters, "", config);
      tape.begin(Tape.Mode.EVALUATION);
      Tensor x = tape.input(new float[STEPS * INPUT_SIZE], STEPS, 1, INPUT_SIZE);
      System.out.println(gru.forward(x).y().toFloats()[0]);
    }
  }
}
