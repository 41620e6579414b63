package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.engine.Schedule;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every layer and operation, as users compose them, against central differences in float64. */
class GradientCheckTest {
  private static final double EPSILON = 1e-5;
  private static final double ALLOWED = 2e-6;

  private Backend backend;
  private Parameters parameters;
  private Tape tape;

  @BeforeEach
  void open() {
    backend = Backend.open("reference");
    parameters = new Parameters(backend, 11);
    tape = new Tape(backend, 12);
  }

  @AfterEach
  void close() {
    tape.close();
    parameters.close();
    backend.close();
  }

  private void check(Function<Tape, Tensor> loss) {
    GradientCheck.Result worst = GradientCheck.run(tape, parameters, loss, EPSILON);
    assertEquals(parameters.size(), worst.checked());
    assertTrue(worst.error() <= ALLOWED, worst::toString);
  }

  static double[] data(int seed, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = 2 * Philox.uniform(seed, i) - 1;
    }
    return values;
  }

  static Stream<Arguments> stacks() {
    return CellSpec.all().stream()
        .flatMap(
            cell ->
                Stream.of(
                    Arguments.of(cell, 1, false, false),
                    Arguments.of(cell, 2, true, false),
                    Arguments.of(cell, 2, true, true),
                    Arguments.of(cell, 3, false, true)));
  }

  @ParameterizedTest(name = "{0}, {1} layers, bidirectional {2}, ragged {3}")
  @MethodSource("stacks")
  void stackWithEmbeddingHeadAndCrossEntropy(
      CellSpec cell, int layers, boolean bidirectional, boolean ragged) {
    int steps = 4;
    int batch = 3;
    Embedding embedding = new Embedding(parameters, "embedding", 5, 3);
    RecurrentConfig config =
        RecurrentConfig.of(cell, 3, 4)
            .withLayers(layers)
            .withBidirectional(bidirectional)
            .withDropout(0.3)
            .withSchedule(Schedule.STEPWISE);
    Recurrent recurrent = new Recurrent(parameters, "rnn", config);
    Linear head = new Linear(parameters, "head", config.directions() * 4, 5);
    int[] tokens = {0, 1, 2, 3, 4, 0, 1, Indices.IGNORED, 3, 4, 2, 2};
    int[] targets = {1, 0, 4, 2, Indices.IGNORED, 3, 3, 1, 0, 2, Indices.IGNORED, 4};
    check(
        t -> {
          Recurrent.Options options =
              ragged
                  ? raggedAndPacked(t, config.directions())
                  : new Recurrent.Options(null, null, null, null);
          Tensor x = embedding.forward(t.indices(tokens, steps, batch));
          Tensor y = recurrent.forward(x, options).y();
          return Losses.crossEntropy(head.forward(y), t.indices(targets, steps, batch));
        });
  }

  /** Three rows of up to four steps; in the second direction each begins at its end. */
  private static Recurrent.Options raggedAndPacked(Tape t, int directions) {
    int[] resets = {0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1};
    int[] shape = directions == 2 ? new int[] {2, 4, 3} : new int[] {4, 3};
    return new Recurrent.Options(
        t.indices(new int[] {4, 1, 3}, 3), t.indices(resets, shape), null, null);
  }

  @ParameterizedTest(name = "{0}, {1} layers, bidirectional {2}, ragged {3}")
  @MethodSource("stacks")
  void stackOverOneHotInput(CellSpec cell, int layers, boolean bidirectional, boolean ragged) {
    RecurrentConfig config =
        RecurrentConfig.of(cell, 5, 3).withLayers(layers).withBidirectional(bidirectional);
    Recurrent recurrent = new Recurrent(parameters, "rnn", config);
    int[] tokens = {0, 1, 2, 2, 4, 0, 1, Indices.IGNORED, 2, 4, 2, 2};
    double[] target = data(9, 12 * 3 * config.directions());
    check(
        t -> {
          Recurrent.Options lengths =
              Recurrent.Options.lengths(ragged ? t.indices(new int[] {4, 1, 3}, 3) : null);
          Tensor y = recurrent.forward(t.indices(tokens, 4, 3), lengths).y();
          Tensor last = recurrent.forward(t.indices(tokens, 2, 3)).last();
          return Ops.add(
              Losses.meanSquaredError(y, t.input(target, y.shape())),
              Losses.meanSquaredError(last, t.input(target, last.shape())));
        });
  }

  @Test
  void oneEmbeddingForSeveralReaders() {
    Embedding embedding = new Embedding(parameters, "embedding", 4, 3);
    RecurrentConfig config = RecurrentConfig.of(CellSpec.GRU, 3, 2);
    Recurrent gru = new Recurrent(parameters, "gru", config.withBidirectional(true));
    Recurrent other = new Recurrent(parameters, "other", config);
    Linear linear = new Linear(parameters, "linear", 3, 2);
    int[] tokens = {3, 1, 1, 0, Indices.IGNORED, 3};
    double[] target = data(10, 6 * 4);
    check(
        t -> {
          Tensor x = embedding.forward(t.indices(tokens, 3, 2));
          Tensor y = gru.forward(x).y();
          Tensor parts = Ops.concat(linear.forward(x), other.forward(x).y());
          Tensor first = linear.forward(Ops.slice(x, 0, 1));
          return Ops.add(
              Losses.meanSquaredError(Ops.multiply(y, parts), t.input(target, 3, 2, 4)),
              Losses.meanSquaredError(first, t.input(target, 1, 2, 2)));
        });
  }

  @ParameterizedTest(name = "{0}, {1} layers, bidirectional {2}, ragged {3}")
  @MethodSource("stacks")
  void encoderPassesItsStatesToDecoder(
      CellSpec cell, int layers, boolean bidirectional, boolean ragged) {
    RecurrentConfig config =
        RecurrentConfig.of(cell, 2, 3).withLayers(layers).withBidirectional(bidirectional);
    Recurrent encoder = new Recurrent(parameters, "encoder", config);
    Recurrent decoder = new Recurrent(parameters, "decoder", config);
    double[] x = data(1, 3 * 2 * 2);
    double[] target = data(2, 2 * 3 * config.directions());
    check(
        t -> {
          Recurrent.Options lengths =
              Recurrent.Options.lengths(ragged ? t.indices(new int[] {2, 3}, 2) : null);
          Recurrent.Output encoded = encoder.forward(t.input(x, 3, 2, 2), lengths);
          Tensor[] states = encoded.finalStates().toArray(Tensor[]::new);
          Recurrent.Output decoded =
              decoder.forward(t.input(x, 2, 2, 2), Recurrent.Options.initial(states));
          Tensor goal = t.input(target, 2, 3 * config.directions());
          return Ops.add(
              Losses.meanSquaredError(decoded.last(), goal),
              Losses.meanSquaredError(Ops.scale(encoded.last(), 0.5), goal));
        });
  }

  /** Two looks at one memory, whose weights count in the loss as well. */
  @ParameterizedTest
  @EnumSource(Attention.Score.class)
  void encoderIsAttendedToByDecoder(Attention.Score score) {
    Recurrent encoder = new Recurrent(parameters, "e", RecurrentConfig.of(CellSpec.GRU, 2, 3));
    Recurrent decoder = new Recurrent(parameters, "d", RecurrentConfig.of(CellSpec.TANH, 2, 3));
    Attention attention = new Attention(parameters, "attention", score, 3, 3);
    double[] x = data(11, 4 * 2 * 2);
    double[] weights = data(12, 3 * 2 * 4);
    check(
        t -> {
          Indices lengths = t.indices(new int[] {4, 2}, 2);
          Tensor encoded =
              encoder.forward(t.input(x, 4, 2, 2), Recurrent.Options.lengths(lengths)).y();
          Attention.Memory memory = attention.memory(encoded, lengths);
          Attention.Output found =
              attention.forward(decoder.forward(t.input(x, 3, 2, 2)).y(), memory);
          Attention.Output again = attention.forward(found.context(), memory);
          return Ops.add(
              Losses.meanSquaredError(again.context(), t.input(data(13, 18), 3, 2, 3)),
              Losses.meanSquaredError(found.weights(), t.input(weights, 3, 2, 4)));
        });
  }

  @Test
  void smoothedCrossEntropy() {
    Linear layer = new Linear(parameters, "layer", 3, 4);
    double[] x = data(14, 3 * 3);
    check(
        t ->
            Losses.crossEntropy(
                layer.forward(t.input(x, 3, 3)),
                t.indices(new int[] {2, Indices.IGNORED, 0}, 3),
                0.2));
  }

  @Test
  void oneLayerCalledTwiceInAStep() {
    Recurrent gru = new Recurrent(parameters, "gru", RecurrentConfig.of(CellSpec.GRU, 3, 3));
    double[] x = data(3, 4 * 2 * 3);
    check(
        t -> {
          Tensor first = gru.forward(t.input(x, 4, 2, 3)).y();
          Tensor second = gru.forward(first).y();
          return Losses.meanSquaredError(second, t.input(x, 4, 2, 3));
        });
  }

  @Test
  void everyOperation() {
    Linear a = new Linear(parameters, "a", 3, 4);
    Linear b = new Linear(parameters, "b", 3, 4);
    double[] x = data(4, 5 * 3);
    double[] target = data(5, 3 * 12);
    double[] weights = {0, 1, 2, 0.5, 1, 1, 0, 3, 1, 1, 1, 1};
    check(
        t -> {
          Tensor input = t.input(x, 5, 3);
          Tensor left = Ops.tanh(a.forward(input));
          Tensor right = Ops.sigmoid(b.forward(input));
          Tensor product = Ops.dropout(Ops.multiply(left, right), 0.25);
          Tensor joined = Ops.concat(product, Ops.relu(Ops.add(left, right)));
          Tensor middle = Ops.concat(Ops.slice(joined, 1, 3), Ops.slice(left, 0, 3));
          Tensor flat = Ops.reshape(middle, 36);
          Tensor part = Ops.slice(flat, 5, 12);
          return Ops.add(
              Losses.meanSquaredError(flat, t.input(target, 36)),
              Losses.meanSquaredError(part, t.input(target, 12), t.input(weights, 12)));
        });
  }

  @Test
  void gatheredEntries() {
    Linear layer = new Linear(parameters, "layer", 3, 2);
    double[] x = data(15, 3 * 2 * 3);
    check(
        t -> {
          Tensor y = layer.forward(t.input(x, 3, 2, 3));
          Tensor chosen = Ops.gather(y, t.indices(new int[] {2, 0, 2, Indices.IGNORED}, 4));
          assertArrayEquals(new int[] {4, 2, 2}, chosen.shape());
          Tensor table = Ops.gather(parameters.get("layer.weight"), t.indices(new int[] {1}, 1));
          return Ops.add(
              Losses.meanSquaredError(chosen, t.input(data(16, 16), 4, 2, 2)),
              Losses.meanSquaredError(table, t.input(x, 1, 3)));
        });
  }

  @Test
  void wrongGradientIsFound() {
    Linear layer = new Linear(parameters, "layer", 3, 2);
    double[] x = data(6, 2 * 3);
    int[] evaluation = {0};
    Function<Tape, Tensor> drifting =
        t -> {
          Tensor y = layer.forward(t.input(x, 2, 3));
          return Losses.meanSquaredError(
              Ops.scale(y, evaluation[0]++ == 0 ? 1.0001 : 1), t.input(x, 2, 2));
        };
    GradientCheck.Result worst = GradientCheck.run(tape, parameters, drifting, EPSILON);
    assertTrue(worst.error() > ALLOWED, worst::toString);
  }

  @Test
  void secondBackwardDoublesTheGradients() {
    Recurrent lstm =
        new Recurrent(
            parameters, "lstm", RecurrentConfig.of(CellSpec.LSTM, 3, 4).withBidirectional(true));
    tape.begin(Tape.Mode.TRAINING);
    Tensor x = tape.input(data(7, 5 * 2 * 3), 5, 2, 3).withGradient();
    Tensor last = lstm.forward(x).last();
    Tensor loss = Losses.meanSquaredError(last, tape.input(data(8, 16), 2, 8));
    tape.backward(loss);
    double[] once = parameters.get("lstm.weight_hh_l0").gradientToDoubles();
    double[] dx = x.gradientToDoubles();
    tape.backward(loss);
    double[] twice = parameters.get("lstm.weight_hh_l0").gradientToDoubles();
    for (int i = 0; i < once.length; i++) {
      assertEquals(2 * once[i], twice[i], 1e-15);
    }
    assertArrayEquals(dx, x.gradientToDoubles());
  }
}
