package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.RequiredBackendsTest;
import io.unroll.device.Device;
import io.unroll.engine.Schedule;
import io.unroll.reference.Tolerance;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Gathering rows of the products gives what multiplying the gathered rows gives. */
class InputByIndexTest {
  private static final long SEED = 31;
  private static final int[] SYMBOLS = {0, 2, 1, Indices.IGNORED, 2, 0};

  private enum Input {
    EMBEDDING,
    ONE_HOT
  }

  /** Named after what they attack. */
  private enum Shape {
    SINGLE(1, 1, 1, 1, 1),
    MORE_ROWS_THAN_SYMBOLS(5, 3, 4, 5, 7),
    MORE_SYMBOLS_THAN_ROWS(3, 2, 9, 5, 7),
    PAST_A_WARP(17, 3, 11, 33, 65);

    final int steps;
    final int batch;
    final int symbols;
    final int embeddingSize;
    final int hiddenSize;

    Shape(int steps, int batch, int symbols, int embeddingSize, int hiddenSize) {
      this.steps = steps;
      this.batch = batch;
      this.symbols = symbols;
      this.embeddingSize = embeddingSize;
      this.hiddenSize = hiddenSize;
    }
  }

  /** A stack of two layers over random symbols, some of them ignored. */
  private record Problem(
      Input input, CellSpec cell, Shape shape, boolean bidirectional, boolean ragged) {

    int[] symbols() {
      return IntStream.range(0, shape.steps * shape.batch)
          .map(i -> i % 7 == 3 ? Indices.IGNORED : Math.floorMod(hash(i), shape.symbols))
          .toArray();
    }

    int[] lengths() {
      return IntStream.range(0, shape.batch)
          .map(b -> b == 0 ? shape.steps : 1 + Math.floorMod(hash(-b), shape.steps))
          .toArray();
    }

    private static int hash(int i) {
      return Philox.bits(SEED, i);
    }

    /** All results of one training step by name. */
    Map<String, double[]> solve(Backend backend, Schedule schedule, boolean dense) {
      int inputSize = input == Input.ONE_HOT ? shape.symbols : shape.embeddingSize;
      try (Parameters parameters = new Parameters(backend, SEED);
          Tape tape = new Tape(backend)) {
        Embedding embedding =
            input == Input.ONE_HOT
                ? null
                : new Embedding(parameters, "e", shape.symbols, shape.embeddingSize);
        Recurrent recurrent =
            new Recurrent(
                parameters,
                "r",
                RecurrentConfig.of(cell, inputSize, shape.hiddenSize)
                    .withLayers(2)
                    .withBidirectional(bidirectional)
                    .withSchedule(schedule));
        tape.begin(Tape.Mode.TRAINING);
        Recurrent.Output output = forward(tape, embedding, recurrent, dense);
        return results(tape, parameters, output);
      }
    }

    private Recurrent.Output forward(
        Tape tape, Embedding embedding, Recurrent recurrent, boolean dense) {
      Recurrent.Options options =
          Recurrent.Options.lengths(ragged ? tape.indices(lengths(), shape.batch) : null);
      Indices x = tape.indices(symbols(), shape.steps, shape.batch);
      if (input == Input.EMBEDDING) {
        Tensor rows = embedding.forward(x);
        return recurrent.forward(dense ? Ops.scale(rows, 1) : rows, options);
      }
      return dense ? recurrent.forward(oneHot(tape), options) : recurrent.forward(x, options);
    }

    private Tensor oneHot(Tape tape) {
      int[] symbols = symbols();
      double[] x = new double[symbols.length * shape.symbols];
      for (int i = 0; i < symbols.length; i++) {
        if (symbols[i] >= 0) {
          x[i * shape.symbols + symbols[i]] = 1;
        }
      }
      return tape.input(x, shape.steps, shape.batch, shape.symbols);
    }

    private static Map<String, double[]> results(
        Tape tape, Parameters parameters, Recurrent.Output output) {
      List<Tensor> ends = new ArrayList<>(List.of(output.y()));
      ends.addAll(output.finalStates());
      List<Tensor> starts = new ArrayList<>();
      Map<String, double[]> results = new LinkedHashMap<>();
      for (int i = 0; i < ends.size(); i++) {
        int size = Math.toIntExact(ends.get(i).size());
        starts.add(tape.input(GradientCheckTest.data(i, size), ends.get(i).dims()));
        results.put(i == 0 ? "y" : "state " + i, ends.get(i).toDoubles());
      }
      tape.backward(ends, starts);
      for (String name : parameters.names()) {
        results.put("d" + name, parameters.get(name).gradientToDoubles());
      }
      return results;
    }
  }

  static Stream<Problem> problems() {
    List<Problem> problems = new ArrayList<>();
    for (Input input : Input.values()) {
      for (CellSpec cell : CellSpec.all()) {
        for (Shape shape : Shape.values()) {
          for (boolean bidirectional : new boolean[] {false, true}) {
            problems.add(new Problem(input, cell, shape, bidirectional, false));
            problems.add(new Problem(input, cell, shape, bidirectional, true));
          }
        }
      }
    }
    return problems.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("problems")
  void agreesWithTheDenseProductInFloat64(Problem problem) {
    try (Backend backend = Backend.open("reference")) {
      Map<String, double[]> dense = problem.solve(backend, Schedule.STEPWISE, true);
      Map<String, double[]> found = problem.solve(backend, Schedule.STEPWISE, false);
      dense.forEach(
          (name, expected) -> {
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            assertArrayEquals(expected, found.get(name), 1e-12 * largest, name);
          });
    }
  }

  static Stream<Arguments> judged() {
    return RequiredBackendsTest.judged()
        .flatMap(name -> problems().map(problem -> Arguments.of(name, problem)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("judged")
  void agreesWithTheDenseProductOnEveryBackend(String name, Problem problem) {
    try (Backend reference = Backend.open("reference");
        Backend backend = Backend.open(name, BackendOptions.DEFAULT.withThreads(3))) {
      Map<String, double[]> exact = problem.solve(reference, Schedule.STEPWISE, true);
      Map<String, double[]> plain = problem.solve(backend, Schedule.STEPWISE, true);
      for (Schedule schedule : Schedule.values()) {
        Map<String, double[]> found = problem.solve(backend, schedule, false);
        exact.forEach(
            (what, expected) -> {
              Tolerance.Comparison worst =
                  Tolerance.of(expected, plain.get(what)).compare(found.get(what));
              assertTrue(worst.passes(), () -> schedule + ": " + what + ": " + worst);
            });
      }
      Map<String, double[]> again = problem.solve(backend, Schedule.FUSED, false);
      problem
          .solve(backend, Schedule.FUSED, false)
          .forEach((what, values) -> assertArrayEquals(values, again.get(what), what));
      assertEquals(0, backend.liveBytes());
    }
  }

  /** A reference device that notes the sizes m, n, k of every product. */
  private static Device noting(Device device, List<List<Integer>> products) {
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("gemm")) {
                List<Object> all = List.of(arguments);
                products.add(all.subList(2, 5).stream().map(Integer.class::cast).toList());
              }
              try {
                return method.invoke(device, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void multipliesTheFewerRows(Shape shape) {
    List<List<Integer>> products = new ArrayList<>();
    int rows = shape.steps * shape.batch;
    int gates = 3 * shape.hiddenSize;
    int fewer = Math.min(rows, shape.symbols);
    int size = shape.embeddingSize;
    try (Device device = Device.of(Backend.open("reference"))) {
      Device noting = noting(device, products);
      new Problem(Input.EMBEDDING, CellSpec.GRU, shape, false, false)
          .solve(noting, Schedule.STEPWISE, false);
      assertEquals(List.of(fewer, gates, size), products.get(0), "forward");
      assertEquals(List.of(gates, size, fewer), products.get(products.size() - 3), "dW_ih");
      assertEquals(List.of(fewer, size, gates), products.get(products.size() - 1), "dE");
      products.clear();
      new Problem(Input.ONE_HOT, CellSpec.GRU, shape, false, false)
          .solve(noting, Schedule.STEPWISE, false);
      int recurrent = 2 * (2 * shape.steps + 1);
      int inputOfTheSecondLayer = 3;
      assertEquals(recurrent + inputOfTheSecondLayer, products.size(), "one-hot");
    }
  }

  @ParameterizedTest
  @EnumSource(Tape.Mode.class)
  void rowsAreThereForWhoeverAsks(Tape.Mode mode) {
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, SEED);
        Tape tape = new Tape(backend)) {
      Embedding embedding = new Embedding(parameters, "e", 3, 2);
      Recurrent gru = new Recurrent(parameters, "r", RecurrentConfig.of(CellSpec.GRU, 2, 4));
      double[] e = parameters.get("e.weight").toDoubles();
      double[] gathered = {e[0], e[1], e[4], e[5], e[2], e[3], 0, 0, e[4], e[5], e[0], e[1]};
      tape.begin(mode);
      Tensor rows = embedding.forward(tape.indices(SYMBOLS, 3, 2));
      double[] y = gru.forward(rows).y().toDoubles();
      assertArrayEquals(gathered, rows.toDoubles());
      assertArrayEquals(gathered, Ops.reshape(rows, 12).toDoubles());
      assertArrayEquals(y, gru.forward(tape.input(gathered, 3, 2, 2)).y().toDoubles(), 1e-15);
    }
  }

  @Test
  void rowsHaveTheirOwnGradientForWhoeverAskedBefore() {
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, SEED);
        Tape tape = new Tape(backend)) {
      Embedding embedding = new Embedding(parameters, "e", 3, 2);
      Recurrent gru = new Recurrent(parameters, "r", RecurrentConfig.of(CellSpec.GRU, 2, 4));
      tape.begin(Tape.Mode.TRAINING);
      Tensor rows = embedding.forward(tape.indices(SYMBOLS, 3, 2));
      Tensor part = Ops.slice(rows, 1, 2);
      tape.backward(loss(tape, gru, rows, part));
      for (Tensor own : List.of(rows, part)) {
        String message =
            assertThrows(IllegalStateException.class, own::gradientToDoubles).getMessage();
        assertTrue(message.contains("withGradient() on an input or the result"), message);
      }
      double[] dTable = parameters.get("e.weight").gradientToDoubles();

      parameters.zeroGradients();
      tape.begin(Tape.Mode.TRAINING);
      rows = embedding.forward(tape.indices(SYMBOLS, 3, 2));
      part = Ops.slice(rows, 1, 2).withGradient();
      tape.backward(loss(tape, gru, rows, part));
      assertArrayEquals(dTable, parameters.get("e.weight").gradientToDoubles(), 1e-15);
      double[] dRows = rows.gradientToDoubles();
      assertArrayEquals(Arrays.copyOfRange(dRows, 4, 12), part.gradientToDoubles());
      Tensor input = tape.input(rows.toDoubles(), 3, 2, 2).withGradient();
      tape.backward(loss(tape, gru, input, Ops.slice(input, 1, 2)));
      assertArrayEquals(input.gradientToDoubles(), dRows);
    }
  }

  private static Tensor loss(Tape tape, Recurrent gru, Tensor x, Tensor part) {
    return Ops.add(
        Losses.meanSquaredError(
            gru.forward(x).y(), tape.input(GradientCheckTest.data(1, 24), 3, 2, 4)),
        Losses.meanSquaredError(part, tape.input(GradientCheckTest.data(2, 8), 2, 2, 2)));
  }
}
