package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.SequenceDataset;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.SequenceTask;
import io.unroll.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The README's example: a GRU learns to classify sequences of different length. */
public final class TrainGru {
  private TrainGru() {}

  /** Trains on made-up data and prints the loss. */
  public static void main(String[] args) {
    List<float[][]> sequences = new ArrayList<>();
    int[] classes = new int[256];
    Random random = new Random(1);
    for (int i = 0; i < classes.length; i++) {
      float[][] sequence = new float[5 + random.nextInt(20)][2];
      for (float[] step : sequence) {
        step[0] = random.nextFloat() - 0.5f;
        step[1] = random.nextFloat() - 0.5f;
      }
      classes[i] = sequence[0][0] > 0 ? 1 : 0; // to be remembered until the end
      sequences.add(sequence);
    }
    System.out.printf("loss %.4f%n", train(sequences, classes, 400));
  }

  /** Trains a GRU on your own sequences, each [steps][2], with classes 0 and 1. */
  static double train(List<float[][]> sequences, int[] classes, int steps) {
    // README begin
    SequenceDataset data = SequenceDataset.of(sequences).withClasses(classes);
    try (Backend backend = Backend.openBest(); // the GPU if there is one, else the CPU
        Parameters parameters = new Parameters(backend, 42);
        Tape tape = new Tape(backend)) {
      Recurrent gru = new Recurrent(parameters, "gru", RecurrentConfig.of(CellSpec.GRU, 2, 32));
      Linear head = new Linear(parameters, "head", 32, 2);
      SequenceTask.Loss loss =
          (t, batch) -> {
            int[] shape = {batch.steps(), batch.batch(), batch.features()};
            Recurrent.Options lengths =
                Recurrent.Options.lengths(t.indices(batch.lengths(), batch.batch()));
            Recurrent.Output output = gru.forward(t.input(batch.inputs(), shape), lengths);
            return Losses.crossEntropy(
                head.forward(output.last()), t.indices(batch.targets().classes(), batch.batch()));
          };
      try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(0.01))) {
        trainer.clipNorm(1).train(SequenceTask.shuffled(data, 32, 7, loss), null, steps);
      }
      return Trainer.evaluate(tape, SequenceTask.inOrder(data, 32, loss));
    }
    // README end
  }
}
