package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.RequiredBackendsTest;
import io.unroll.io.Dtype;
import io.unroll.io.Safetensors;
import io.unroll.io.SafetensorsBuilder;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class VerifyCommandTest {
  @TempDir Path folder;

  static Path golden(String name) {
    try {
      return Path.of(VerifyCommandTest.class.getResource("/golden/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static Stream<Arguments> filesAndDevices() throws IOException {
    List<String> names;
    try (Stream<Path> files = Files.list(golden("mse.safetensors").getParent())) {
      names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".safetensors"))
              .sorted()
              .toList();
    }
    assertTrue(names.size() >= 30, names::toString);
    return RequiredBackendsTest.available()
        .flatMap(device -> names.stream().map(name -> Arguments.of(name, device)));
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("filesAndDevices")
  void computesWhatPyTorchComputed(String name, String device) throws IOException {
    CommandRun run = CommandRun.of("verify", golden(name), "--device", device).succeeded();
    try (Safetensors file = Safetensors.read(golden(name))) {
      for (String tensor : file.names()) {
        boolean compared =
            tensor.startsWith("grad.") || tensor.startsWith("output") || tensor.endsWith("_n");
        if (compared
            && !tensor.startsWith("d_")
            && !file.metadata().containsKey("optimizer")
            && !file.metadata().containsKey("max_norm")) {
          assertTrue(run.out().contains(tensor + " "), () -> tensor + " in " + run.out());
        }
      }
    }
    assertTrue(run.out().contains("tensors agree"), run.out());
    assertFalse(run.out().contains("DIFFERS"), run.out());
  }

  /** A copy of a golden file as it can be changed: reals by name, the rest as it is. */
  private static final class Copy {
    final Map<String, double[]> reals = new LinkedHashMap<>();
    final Map<String, long[]> integers = new LinkedHashMap<>();
    final Map<String, long[]> shapes = new LinkedHashMap<>();
    final Map<String, String> metadata = new LinkedHashMap<>();

    Copy(String name) throws IOException {
      try (Safetensors file = Safetensors.read(golden(name))) {
        metadata.putAll(file.metadata());
        for (String tensor : file.names()) {
          shapes.put(tensor, file.shape(tensor));
          if (file.dtype(tensor) == Dtype.F64) {
            reals.put(tensor, file.doubles(tensor));
          } else {
            integers.put(tensor, file.longs(tensor));
          }
        }
      }
    }

    void remove(String tensor) {
      reals.remove(tensor);
      integers.remove(tensor);
    }

    Path write(Path folder, boolean float32) throws IOException {
      SafetensorsBuilder builder = Safetensors.builder();
      metadata.forEach(builder::metadata);
      for (String tensor : reals.keySet()) {
        if (float32) {
          float[] rounded = new float[reals.get(tensor).length];
          for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) reals.get(tensor)[i];
          }
          builder.put(tensor, rounded, shapes.get(tensor));
        } else {
          builder.put(tensor, reals.get(tensor), shapes.get(tensor));
        }
      }
      integers.forEach((tensor, values) -> builder.put(tensor, values, shapes.get(tensor)));
      Path file = folder.resolve("copy.safetensors");
      builder.writeTo(file);
      return file;
    }
  }

  /** A change of one element must be found wherever it is, and named. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lstm_2layer_bidirectional|output|37|output[1, 0, 1]",
        "lstm_2layer_bidirectional|c_n|0|c_n[0, 0, 0]",
        "gru_ragged|grad.weight_hh_l0|7|grad.weight_hh_l0[1, 2]",
        "gru_ragged|grad.x|3|grad.x[0, 1, 0]",
        "tanh_1layer|grad.h_0|17|grad.h_0[0, 2, 5]",
        "relu_ragged_bidirectional|grad.bias_hh_l1_reverse|4|grad.bias_hh_l1_reverse[4]",
        "cross_entropy|grad.logits|0|grad.logits[0, 0, 0]",
        "mse|loss|0|loss[0]",
        "ctc|loss|0|loss[0]",
        "ctc|grad.logits|8|grad.logits[0, 1, 3]",
        "optimizer_adam|param.3|19|param.3[3, 4]",
        "clip_grad_norm|clipped.1|6|clipped.1[6]",
        "clip_grad_norm|norm|0|norm[0]",
      })
  void findsOneWrongElement(String name, String tensor, int index, String place)
      throws IOException {
    for (String device : RequiredBackendsTest.available().toList()) {
      Copy copy = new Copy(name + ".safetensors");
      copy.reals.get(tensor)[index] += device.equals("reference") ? 1e-8 : 1e-3;
      CommandRun run = CommandRun.of("verify", copy.write(folder, false), "--device", device);
      assertEquals(1, run.exit(), run::toString);
      assertTrue(run.err().startsWith("differs: " + place + ": expected "), run::toString);
      assertTrue(run.err().contains("times the tolerance"), run::toString);
      assertTrue(run.out().contains("DIFFERS"), run::toString);
    }
  }

  @Test
  void aNanInTheFileDiffers() throws IOException {
    Copy copy = new Copy("tanh_1layer.safetensors");
    copy.reals.get("output")[5] = Double.NaN;
    CommandRun run =
        CommandRun.of("verify", copy.write(folder, false), "--device", "reference", "--quiet");
    assertEquals(1, run.exit(), run::toString);
    assertEquals("", run.out());
    assertTrue(run.err().startsWith("differs: output[0, 0, 5]: expected NaN"), run.err());
  }

  @Test
  void aFloat32FileIsJudgedAsFloat32() throws IOException {
    Path file = new Copy("lstm_2layer_bidirectional.safetensors").write(folder, true);
    CommandRun.of("verify", file, "--device", "reference").succeeded();
    Copy wrong = new Copy("lstm_2layer_bidirectional.safetensors");
    wrong.reals.get("output")[3] += 1e-4;
    CommandRun run = CommandRun.of("verify", wrong.write(folder, true), "--device", "reference");
    assertEquals(1, run.exit(), run::toString);
  }

  @Test
  void onlyTheCellMustBeInTheMetadataAndGradientsMayBeMissing() throws IOException {
    Copy copy = new Copy("lstm_2layer_bidirectional.safetensors");
    copy.metadata.keySet().retainAll(List.of("cell"));
    for (String tensor : List.copyOf(copy.reals.keySet())) {
      if (tensor.startsWith("grad.") || tensor.startsWith("d_")) {
        copy.remove(tensor);
      }
    }
    String out =
        CommandRun.of("verify", copy.write(folder, false), "--device", "reference")
            .succeeded()
            .out();
    assertTrue(out.contains("all 3 tensors agree"), out);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "x|x|is missing",
        "output|output|is missing",
        "param.bias_hh_l0|param.bias_hh_l0|is missing",
        "param.weight_hh_l0|param.weight_hh_l0|is missing",
        "h_0|h_0|grad.h_0",
        "c_0|only some|[h, c]",
      })
  void aMissingTensorIsNamed(String tensor, String first, String second) throws IOException {
    Copy copy = new Copy("lstm_1layer.safetensors");
    copy.remove(tensor);
    CommandRun.of("verify", copy.write(folder, false)).failed(2, "copy.safetensors", first, second);
  }

  @Test
  void gradientsWithoutAStartAreRefused() throws IOException {
    Copy copy = new Copy("gru_1layer.safetensors");
    copy.remove("d_output");
    copy.remove("d_h_n");
    CommandRun.of("verify", copy.write(folder, false)).failed(2, "d_output", "Add");
  }

  @Test
  void aTensorThatNobodyKnowsIsRefused() throws IOException {
    Copy copy = new Copy("gru_1layer.safetensors");
    copy.reals.put("param.weight_hr_l0", new double[] {1});
    copy.shapes.put("param.weight_hr_l0", new long[] {1});
    CommandRun.of("verify", copy.write(folder, false)).failed(2, "param.weight_hr_l0");
  }

  @Test
  void aWrongShapeIsRefused() throws IOException {
    Copy copy = new Copy("gru_1layer.safetensors");
    copy.shapes.put("d_output", new long[] {3, 5, 6});
    CommandRun.of("verify", copy.write(folder, false))
        .failed(2, "d_output", "[5, 3, 6]", "[3, 5, 6]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gru_1layer|cell|lstm|[24, 4]",
        "gru_1layer|cell|mgu|unknown cell \"mgu\"",
        "gru_1layer|hidden_size|7|hidden_size = 7",
        "gru_1layer|num_layers|2|num_layers = 2",
        "gru_1layer|bidirectional|True|bidirectional = True",
        "gru_1layer|T|6|T = 6",
        "optimizer_sgd|optimizer|lion|optimizer = lion",
        "optimizer_sgd|defaults|{}|number for lr",
        "optimizer_momentum|defaults|{'lr': 0.1, 'nesterov': True}|nesterov is True",
        "optimizer_adam|defaults|{'lr': 0.1, 'betas': (0.9)}|betas",
        "clip_grad_norm|max_norm|much|max_norm",
        "ctc|blank|5|blank must be a class from 0 to 4",
        "ctc|blank|2|has the blank, 2,",
        "ctc|reduction|none|sum or mean",
      })
  void metadataThatDoNotFitAreRefused(String name, String key, String value, String word)
      throws IOException {
    Copy copy = new Copy(name + ".safetensors");
    copy.metadata.put(key, value);
    CommandRun.of("verify", copy.write(folder, false)).failed(2, word);
  }

  @Test
  void aLengthOutOfRangeIsRefused() throws IOException {
    Copy copy = new Copy("gru_ragged.safetensors");
    copy.integers.get("lengths")[1] = 8;
    CommandRun.of("verify", copy.write(folder, false)).failed(2, "lengths", "from 1 to 7", "8");
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    CommandRun.of("verify", folder.resolve("none")).failed(2, "none", "no such file");
    CommandRun.of("verify", golden("README.md")).failed(2, "README.md");
    CommandRun.of("verify").failed(2, "FILE");
    Copy copy = new Copy("mse.safetensors");
    copy.reals.keySet().removeAll(List.of("prediction", "loss"));
    CommandRun.of("verify", copy.write(folder, false)).failed(2, "cannot tell", "target");
  }

  @Test
  void placesAreCountedAlongEveryAxis() {
    double[] expected = new double[2 * 3 * 4];
    double[] found = expected.clone();
    found[23] = 1;
    Verdict verdict = Verdict.of("y", new int[] {2, 3, 4}, expected, null, found);
    assertTrue(verdict.explanation().startsWith("y[1, 2, 3]: expected 0.0, found 1.0"));
    Arrays.fill(found, Double.NaN);
    assertFalse(Verdict.of("y", new int[] {24}, expected, null, found).passes());
  }
}
