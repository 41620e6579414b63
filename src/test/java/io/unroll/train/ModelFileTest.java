package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.ShapeException;
import io.unroll.data.Scaling;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.TokenVocabulary.Splitting;
import io.unroll.train.ModelConfig.Input;
import io.unroll.train.ModelConfig.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file that is not what it should be is refused with the name of what is wrong. */
class ModelFileTest {
  private static final ModelConfig CONFIG =
      ModelConfig.of(
          Input.tokens(
              TokenVocabulary.of(Splitting.WORDS, List.of("<unk>", "<s>", "</s>", "a")), 2),
          CellSpec.GRU,
          3,
          Output.values(Scaling.none("x")));

  @TempDir Path folder;

  /** Writes a file whose metadata are changed, and loads it. */
  private String refusal(String version, String config) throws IOException {
    Path path = folder.resolve("model.safetensors");
    try (Backend backend = Backend.open("reference");
        Model model = new Model(backend, CONFIG, 1)) {
      Checkpoint.Writer writer = Checkpoint.of(model.parameters());
      if (version != null) {
        writer.metadata(ModelFile.VERSION_KEY, version);
      }
      writer.metadata(ModelFile.CONFIG_KEY, config).write(path);
      FileFormatException e =
          assertThrows(FileFormatException.class, () -> Model.load(path, backend).close());
      assertEquals(path.toString(), e.file());
      return e.getMessage().substring(path.toString().length() + 2);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"input\" | \"in\" | model.config.input is missing",
        "\"tokens\":[ | \"tokens\":[7, | model.config.input.vocabulary.tokens is [7,\"<unk>\"",
        "\"<s>\" | \"s\" | describes no model: the tokens of a vocabulary begin with",
        "\"WORDS\" | \"SYLLABLES\" | describes no model: No enum constant",
        "\"embeddingSize\":2 | \"embeddingSize\":2.5 | model.config.input.embeddingSize is 2.5",
        "\"embeddingSize\":2 | \"embeddingSize\":3 | tensor \"embedding.weight\" is [4, 2], but",
        "\"cell\":\"gru\" | \"cell\":\"lstm\" | tensor \"rnn.weight_ih_l0\" is [9, 2], but",
        "\"cell\":\"gru\" | \"cell\":\"xyz\" | describes no model: ",
        "\"cell\":\"gru\" | \"cell\":7 | model.config.recurrent.cell is 7, but must be a string",
        "\"hiddenSize\":3 | \"hiddenSize\":0 | describes no model: hiddenSize must be at least 1",
        "\"layers\":1 | \"layers\":2 | has no tensor \"rnn.weight_ih_l1\"",
        "\"bidirectional\":false | \"bidirectional\":0 | model.config.recurrent.bidirectional is 0",
        "\"everyStep\":false | \"x\":1 | model.config.output.everyStep is missing",
        "\"means\":[0.0] | \"means\":[] | describes no model: a scaling needs a name, a mean",
        "\"means\":[0.0] | \"means\":[\"0\"] | model.config.output.scaling.means is [\"0\"], but",
        "\"means\":[0.0] | \"means\":1 | model.config.output.scaling.means is 1, but must be",
        "\"output\":{ | \"output\":7,\"o\":{ | model.config.output is 7, but must be an object",
      })
  void namesWhatIsWrong(String from, String to, String message) throws IOException {
    String config = ModelFile.toJson(CONFIG);
    assertTrue(config.contains(from), config);
    String refusal = refusal("1", config.replace(from, to));
    assertTrue(refusal.startsWith(message), refusal);
  }

  @Test
  void namesVersionsAndOtherKinds() throws IOException {
    String good = ModelFile.toJson(CONFIG);
    assertTrue(refusal("2", good).startsWith("holds a model of version 2, but this build reads 1"));
    assertTrue(refusal(null, good).startsWith("holds weights, but not what model they belong to"));
    assertTrue(refusal("1", "[1]").startsWith("model.config is no JSON object"));
    assertTrue(refusal("1", "{").startsWith("model.config is no JSON object"));
    Path path = folder.resolve("characters.safetensors");
    try (Backend backend = Backend.open("reference");
        CharRnn characters =
            new CharRnn(backend, CheckpointTest.CORPUS.vocabulary(), CheckpointTest.CONFIG, 1)) {
      Checkpoint.Writer writer = Checkpoint.of(characters.parameters());
      characters.metadata().forEach(writer::metadata);
      writer.write(path);
      FileFormatException e =
          assertThrows(FileFormatException.class, () -> Model.load(path, backend).close());
      assertTrue(e.getMessage().endsWith("Load it with CharRnn.load."), e.getMessage());
      assertEquals(0, backend.liveBytes() - bytesOf(characters), "nothing is left on the device");
    }
  }

  private static long bytesOf(CharRnn model) {
    return 2 * Double.BYTES * model.parameters().size();
  }

  @Test
  void partsMustFit() {
    Input tokens = CONFIG.input();
    assertThrows(
        IllegalArgumentException.class,
        () ->
            ModelConfig.of(Input.vectors(Scaling.none("x")), CellSpec.GRU, 3, Output.nextToken()));
    ModelConfig next = ModelConfig.of(tokens, CellSpec.GRU, 3, Output.nextToken());
    assertThrows(IllegalArgumentException.class, () -> next.withBidirectional(true));
    assertThrows(
        IllegalArgumentException.class, () -> Output.values(Scaling.none("x").withMarks()));
    assertThrows(IllegalArgumentException.class, () -> Output.classes(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new Input(null, 0, null));
    assertThrows(
        ShapeException.class,
        () ->
            new ModelConfig(Input.vectors(Scaling.none("x")), CONFIG.recurrent(), CONFIG.output()));
  }
}
