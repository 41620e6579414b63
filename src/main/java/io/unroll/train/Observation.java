package io.unroll.train;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.nn.Activations;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What every unit of a {@link CharRnn} held, how its gates stood, and what the model expected,
 * while it read a text from an empty memory. It lies on the host: every state of every unit at
 * every character, {@link #bytes} in all; gates are only counted.
 */
public final class Observation {
  /** How many of the likeliest characters are kept at each place. */
  public static final int GUESSES = 5;

  /** Characters that a device reads at once. */
  private static final int WINDOW = 256;

  private final CharRnn.Config config;
  private final int length;
  private final float[][][] values; // [S*L][H][T]
  private final List<GateActivity> gates = new ArrayList<>();
  private final int[] guesses;
  private final float[] guessed;
  private final float[] expected;

  private Observation(CharRnn.Config config, int length) {
    this.config = config;
    this.length = length;
    int kinds = config.cell().stateCount() * config.layers();
    this.values = new float[kinds][config.hiddenSize()][length];
    this.guesses = new int[length * GUESSES];
    this.guessed = new float[length * GUESSES];
    this.expected = new float[length];
    for (int layer = 0; layer < config.layers(); layer++) {
      for (String gate : config.cell().gates()) {
        gates.add(new GateActivity(gate, layer, config.hiddenSize()));
      }
    }
  }

  /**
   * Reads a text and notes everything.
   *
   * @param ids at least one number of the model's vocabulary
   * @throws IllegalArgumentException if there are none
   * @throws TrainingDivergedException if a logit is NaN
   */
  public static Observation of(CharRnn model, int[] ids) {
    if (ids.length == 0) {
      throw new IllegalArgumentException("there is no character to read; give some text");
    }
    Observation seen = new Observation(model.config(), ids.length);
    Backend backend = model.parameters().kernels().device();
    try (Tape tape = new Tape(backend);
        RecurrentState state = model.newState(1)) {
      for (int from = 0; from < ids.length; from += WINDOW) {
        int[] part = Arrays.copyOfRange(ids, from, Math.min(from + WINDOW, ids.length));
        tape.begin(Tape.Mode.OBSERVATION);
        Recurrent.Output read = model.read(tape.indices(part, part.length, 1), state);
        float[] logits = model.logits(read).toFloats();
        seen.noteUnits(read.activations(), from, part.length);
        seen.noteGuesses(logits, from, part.length, ids);
      }
    }
    return seen;
  }

  /** The bytes of the states that an observation of so many characters holds. */
  public static long bytes(CharRnn.Config config, int characters) {
    long units = (long) config.cell().stateCount() * config.layers() * config.hiddenSize();
    return units * characters * Float.BYTES;
  }

  private void noteUnits(Activations seen, int from, int count) {
    CellSpec cell = config.cell();
    for (int layer = 0; layer < config.layers(); layer++) {
      for (int s = 0; s < cell.stateCount(); s++) {
        float[] state = seen.state(cell.states().get(s), layer, 0).toFloats();
        float[][] units = values[s * config.layers() + layer];
        for (int j = 0; j < units.length; j++) {
          for (int t = 0; t < count; t++) {
            units[j][from + t] = state[t * units.length + j];
          }
        }
      }
      for (int g = 0; g < cell.gateCount(); g++) {
        float[] gate = seen.gate(cell.gates().get(g), layer, 0).toFloats();
        gates.get(layer * cell.gateCount() + g).add(gate);
      }
    }
  }

  private void noteGuesses(float[] logits, int from, int count, int[] ids) {
    int size = logits.length / count;
    double[] chances = new double[size];
    for (int t = 0; t < count; t++) {
      softmax(logits, t * size, chances);
      int next = from + t + 1;
      if (next < length) {
        expected[next] = (float) chances[ids[next]];
      }
      for (int k = 0; k < GUESSES; k++) {
        int best = largest(chances);
        int at = (from + t) * GUESSES + k;
        guesses[at] = k < size ? best : -1;
        guessed[at] = k < size ? (float) chances[best] : 0;
        chances[best] = -1;
      }
    }
    expected[0] = Float.NaN;
  }

  private static void softmax(float[] logits, int at, double[] chances) {
    double highest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < chances.length; i++) {
      highest = Math.max(highest, logits[at + i]);
    }
    double sum = 0;
    for (int i = 0; i < chances.length; i++) {
      chances[i] = Math.exp(logits[at + i] - highest);
      sum += chances[i];
    }
    if (Double.isNaN(sum)) {
      throw new TrainingDivergedException(
          "the model's output is NaN, so it expects nothing; use an earlier checkpoint");
    }
    for (int i = 0; i < chances.length; i++) {
      chances[i] /= sum;
    }
  }

  private static int largest(double[] chances) {
    int best = 0;
    for (int i = 1; i < chances.length; i++) {
      best = chances[i] > chances[best] ? i : best;
    }
    return best;
  }

  /** All units: those of state h layer by layer, then of an LSTM those of c. */
  List<UnitRanking.Unit> units() {
    List<UnitRanking.Unit> units = new ArrayList<>();
    for (int s = 0; s < config.cell().stateCount(); s++) {
      for (int layer = 0; layer < config.layers(); layer++) {
        for (int j = 0; j < config.hiddenSize(); j++) {
          units.add(new UnitRanking.Unit(s, layer, j));
        }
      }
    }
    return units;
  }

  /** The number of characters read, T. */
  public int length() {
    return length;
  }

  /**
   * A state of one unit after each character.
   *
   * @param state the place in {@link CellSpec#states}: 0 for h, of an LSTM 1 for c
   * @param layer from 0
   * @param unit from 0
   * @return [T], the array of this object; leave it alone
   */
  public float[] values(int state, int layer, int unit) {
    return values[state * config.layers() + layer][unit];
  }

  /** How often the gates stood where: those of the first layer, then those of the second. */
  public List<GateActivity> gates() {
    return List.copyOf(gates);
  }

  /**
   * A character that the model held likely to come after another.
   *
   * @param t the place of the character before it
   * @param rank 0 for the likeliest, below {@link #GUESSES}
   * @return its number in the vocabulary, or -1 if that has fewer
   */
  public int guess(int t, int rank) {
    return guesses[t * GUESSES + rank];
  }

  /** The probability that the model gave to {@link #guess}. */
  public float guessProbability(int t, int rank) {
    return guessed[t * GUESSES + rank];
  }

  /**
   * The probability that the model gave to the character at t before it read it; NaN for the first
   * one, which nobody asked it about.
   */
  public float probability(int t) {
    return expected[t];
  }

  /** The mean of -log2 of {@link #probability} over all characters but the first; 0 for one. */
  public double bitsPerCharacter() {
    double sum = 0;
    for (int t = 1; t < length; t++) {
      sum -= Math.log(expected[t]) / Math.log(2);
    }
    return length == 1 ? 0 : sum / (length - 1);
  }
}
