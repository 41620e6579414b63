package io.unroll.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.unroll.CellSpec;
import io.unroll.io.Safetensors;
import io.unroll.reference.ReferenceLosses.Loss;
import io.unroll.reference.ReferenceOptimizers.Adagrad;
import io.unroll.reference.ReferenceOptimizers.Adam;
import io.unroll.reference.ReferenceOptimizers.Momentum;
import io.unroll.reference.ReferenceOptimizers.RmsProp;
import io.unroll.reference.ReferenceOptimizers.Sgd;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The oracle against tensors that PyTorch computed in float64; golden/README.md tells what each
 * file holds. Every file must be known, and every tensor of a file must be used.
 */
class GoldenTest {
  private static final double TOLERANCE = 1e-10;
  private static final Set<String> CASES =
      Set.of("1layer", "zero_state", "2layer_bidirectional", "ragged", "ragged_bidirectional");

  static List<String> files() throws IOException, URISyntaxException {
    Path folder = Path.of(GoldenTest.class.getResource("/golden").toURI());
    try (Stream<Path> paths = Files.list(folder)) {
      return paths
          .map(path -> path.getFileName().toString())
          .filter(name -> !name.equals("README.md"))
          .sorted()
          .toList();
    }
  }

  /** A file, and which of its tensors were looked at. */
  private record Golden(Safetensors file, Set<String> unused) {
    boolean has(String name) {
      return file.names().contains(name);
    }

    double[] doubles(String name) throws IOException {
      unused.remove(name);
      return file.doubles(name);
    }

    int[] ints(String name) throws IOException {
      unused.remove(name);
      return Arrays.stream(file.longs(name)).mapToInt(Math::toIntExact).toArray();
    }

    int dimension(String name, int axis) {
      return Math.toIntExact(file.shape(name)[axis]);
    }

    void expect(String name, double... found) throws IOException {
      double[] expected = doubles(name);
      assertEquals(expected.length, found.length, name);
      for (int k = 0; k < expected.length; k++) {
        double error = Math.abs(found[k] - expected[k]);
        assertTrue(
            error <= TOLERANCE * Math.max(1, Math.abs(expected[k])),
            name + "[" + k + "]: PyTorch " + expected[k] + ", oracle " + found[k]);
      }
    }

    /** A number of the optimizer's defaults, which are the text of a Python dict. */
    double setting(String name) {
      String defaults = file.metadata().get("defaults");
      Matcher matcher = Pattern.compile("'" + name + "': \\(?([-+.e0-9]+)").matcher(defaults);
      assertTrue(matcher.find(), name + " is not in " + defaults);
      return Double.parseDouble(matcher.group(1));
    }
  }

  @Test
  void noFileIsMissingOrUnknown() throws IOException, URISyntaxException {
    Set<String> expected = new HashSet<>(Set.of("cross_entropy", "mse", "ctc", "clip_grad_norm"));
    for (String cell : List.of("tanh", "relu", "gru", "lstm")) {
      CASES.forEach(suffix -> expected.add(cell + "_" + suffix));
    }
    for (String name : List.of("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw")) {
      expected.add("optimizer_" + name);
    }
    Set<String> found = new HashSet<>();
    files().forEach(name -> found.add(name.replace(".safetensors", "")));
    assertEquals(expected, found);
  }

  @ParameterizedTest
  @MethodSource("files")
  void agreesWithPyTorch(String name) throws IOException, URISyntaxException {
    Path path = Path.of(GoldenTest.class.getResource("/golden/" + name).toURI());
    try (Safetensors file = Safetensors.read(path)) {
      Golden golden = new Golden(file, new HashSet<>(file.names()));
      String cell = name.substring(0, name.indexOf('_') < 0 ? 0 : name.indexOf('_'));
      if (CellSpec.all().stream().anyMatch(spec -> spec.name().equals(cell))) {
        network(golden);
      } else if (name.startsWith("optimizer_")) {
        optimizer(golden);
      } else {
        switch (name) {
          case "cross_entropy.safetensors" -> crossEntropy(golden);
          case "mse.safetensors" -> meanSquaredError(golden);
          case "ctc.safetensors" -> ctc(golden);
          case "clip_grad_norm.safetensors" -> clip(golden);
          default -> fail(name + " is a golden file that this test does not know");
        }
      }
      assertEquals(Set.of(), golden.unused, "tensors that were not compared");
    }
  }

  private static void network(Golden golden) throws IOException {
    Map<String, String> metadata = golden.file.metadata();
    CellSpec cell = CellSpec.of(metadata.get("cell"));
    ReferenceNetwork network =
        new ReferenceNetwork(
            cell,
            Integer.parseInt(metadata.get("input_size")),
            Integer.parseInt(metadata.get("hidden_size")),
            Integer.parseInt(metadata.get("num_layers")),
            metadata.get("bidirectional").equals("True"),
            Arithmetic.FLOAT64);
    Sequence input =
        new Sequence(
            golden.dimension("x", 0),
            golden.dimension("x", 1),
            golden.dimension("x", 2),
            golden.doubles("x"),
            golden.has("lengths") ? golden.ints("lengths") : null);
    Map<String, double[]> parameters = new LinkedHashMap<>();
    for (String name : network.parameterSizes().keySet()) {
      parameters.put(name, golden.doubles("param." + name));
    }
    int states = cell.stateCount();
    double[][] initialStates = new double[states][];
    double[][] dFinalStates = new double[states][];
    for (int s = 0; s < states; s++) {
      initialStates[s] = golden.doubles(cell.states().get(s) + "_0");
      dFinalStates[s] = golden.doubles("d_" + cell.states().get(s) + "_n");
    }
    boolean zeroState = !golden.has("grad.h_0");
    ReferenceNetwork.Forward run =
        network.forward(input, zeroState ? null : initialStates, parameters);
    double[] dOutput = golden.doubles("d_output");
    ReferenceNetwork.Gradients gradients = network.backward(run, dOutput, dFinalStates);

    golden.expect("output", run.output());
    golden.expect("grad.x", gradients.dx());
    double loss = dot(run.output(), dOutput);
    for (int s = 0; s < states; s++) {
      String state = cell.states().get(s);
      golden.expect(state + "_n", run.finalStates()[s]);
      if (!zeroState) {
        golden.expect("grad." + state + "_0", gradients.dInitialStates()[s]);
      }
      loss += dot(run.finalStates()[s], dFinalStates[s]);
    }
    golden.expect("loss", loss);
    for (Map.Entry<String, double[]> entry : gradients.dParameters().entrySet()) {
      golden.expect("grad." + entry.getKey(), entry.getValue());
    }
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }

  private static void crossEntropy(Golden golden) throws IOException {
    Loss loss =
        ReferenceLosses.softmaxCrossEntropy(
            golden.doubles("logits"), golden.ints("targets"), golden.dimension("logits", 2), -100);
    golden.expect("loss", loss.value());
    golden.expect("grad.logits", loss.gradient());
  }

  private static void meanSquaredError(Golden golden) throws IOException {
    Loss loss =
        ReferenceLosses.meanSquaredError(
            golden.doubles("prediction"), golden.doubles("target"), null);
    golden.expect("loss", loss.value());
    golden.expect("grad.prediction", loss.gradient());
  }

  private static void ctc(Golden golden) throws IOException {
    Sequence logits =
        new Sequence(
            golden.dimension("logits", 0),
            golden.dimension("logits", 1),
            golden.dimension("logits", 2),
            golden.doubles("logits"),
            golden.ints("input_lengths"));
    int[] targets = golden.ints("targets");
    int[] lengths = golden.ints("target_lengths");
    int longest = golden.dimension("targets", 1);
    int[][] labels = new int[lengths.length][];
    for (int b = 0; b < labels.length; b++) {
      labels[b] = Arrays.copyOfRange(targets, b * longest, b * longest + lengths[b]);
    }
    Loss loss = ReferenceCtc.loss(logits, labels);
    golden.expect("loss", loss.value());
    golden.expect("grad.logits", loss.gradient());
  }

  private static void clip(Golden golden) throws IOException {
    double[] first = golden.doubles("grad.0");
    double[] second = golden.doubles("grad.1");
    double maxNorm = Double.parseDouble(golden.file.metadata().get("max_norm"));
    golden.expect("norm", ReferenceOptimizers.clip(maxNorm, first, second));
    golden.expect("clipped.0", first);
    golden.expect("clipped.1", second);
  }

  private static void optimizer(Golden golden) throws IOException {
    double[] w = golden.doubles("param.0");
    double[] first = new double[w.length];
    double[] second = new double[w.length];
    for (int step = 1; golden.has("grad." + step); step++) {
      optimizerStep(golden, step, w, first, second);
      golden.expect("param." + step, w);
    }
  }

  private static void optimizerStep(
      Golden golden, int step, double[] w, double[] first, double[] second) throws IOException {
    double[] g = golden.doubles("grad." + step);
    double rate = golden.setting("lr");
    double decay = golden.setting("weight_decay");
    String name = golden.file.metadata().get("optimizer");
    switch (name) {
      case "sgd" -> new Sgd(rate, decay).step(w, g);
      case "momentum" -> new Momentum(rate, golden.setting("momentum"), decay).step(w, g, first);
      case "adagrad" -> new Adagrad(rate, golden.setting("eps"), decay).step(w, g, first);
      case "rmsprop" ->
          new RmsProp(rate, golden.setting("alpha"), golden.setting("eps"), decay)
              .step(w, g, first);
      case "adam", "adamw" -> {
        boolean decoupled = name.equals("adamw");
        Pattern betas = Pattern.compile("'betas': \\(([.0-9]+), ([.0-9]+)\\)");
        Matcher matcher = betas.matcher(golden.file.metadata().get("defaults"));
        assertTrue(matcher.find(), "betas");
        new Adam(
                rate,
                Double.parseDouble(matcher.group(1)),
                Double.parseDouble(matcher.group(2)),
                golden.setting("eps"),
                decoupled ? 0 : decay,
                decoupled ? decay : 0)
            .step(w, g, first, second, step);
      }
      default -> fail("unknown optimizer " + name);
    }
  }
}
